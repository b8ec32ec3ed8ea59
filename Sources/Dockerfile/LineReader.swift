/// Cuts a file into logical lines: comments out, continuation lines joined, directives heeded.
struct LineReader {
    /// A logical line with what stood before it.
    struct Line {
        var text: LogicalLine
        var firstLine: Int
        /// Comments directly above, without `#`; an empty comment line ends the group above it.
        var comments: [Word]
        var endsContinued: Bool
    }

    let source: SourceText
    /// Where everything stands, if not in a file.
    let place: SourceRange?
    private(set) var directives: DirectiveReader
    private(set) var warnings: [ParseWarning] = []
    /// The number of the last line read.
    private(set) var lastLine = 0

    init(
        _ source: SourceText, at place: SourceRange? = nil, ignoresFrontEnd: Bool = false
    ) {
        self.source = source
        self.place = place
        directives = DirectiveReader(ignoresFrontEnd: ignoresFrontEnd)
    }

    var escape: Unicode.Scalar { directives.escape }

    /// The next line that is no comment and not empty; nil at the end of the file.
    mutating func next() throws(Fault) -> Line? {
        var comments: [Word] = []
        while let physical = readLine() {
            let content = physical.whole.trimmedStart
            let isDirective = try directives.read(content, isFirst: lastLine == 1)
            if isDirective { continue }
            if content.scalars.first == "#" {
                let comment = content[content.bounds.lowerBound + 1..<content.bounds.upperBound]
                    .trimmed
                if comment.isEmpty { comments = [] } else { comments.append(comment.word) }
                continue
            }
            let (kept, continues) = withoutContinuation(content)
            if kept.isEmpty && !continues { continue }
            var line = Line(
                text: LogicalLine(at: place), firstLine: lastLine, comments: comments,
                endsContinued: false)
            line.text.append(kept.scalars, at: kept.range.start)
            line.endsContinued = continues
            if continues { join(&line) }
            return line
        }
        return nil
    }

    /// Appends continuation lines. Comments among them vanish, empty lines too, with a warning.
    private mutating func join(_ line: inout Line) {
        var emptyLine: Int?
        while line.endsContinued, let physical = readLine() {
            let content = physical.whole.trimmedStart
            if content.scalars.first == "#" { continue }
            if content.isEmpty {
                emptyLine = emptyLine ?? lastLine
                continue
            }
            let (kept, continues) = withoutContinuation(physical.whole)
            line.text.append(kept.scalars, at: kept.range.start)
            line.endsContinued = continues
        }
        if let number = emptyLine {
            let place = SourcePosition(line: number, column: 1)
            warnings.append(
                ParseWarning(kind: .emptyContinuation, range: SourceRange(place, place)))
        }
    }

    /// The text up to a line that is just `marker`, line ends kept; nil if there is none.
    mutating func heredocBody(marker: String, stripsTabs: Bool) -> String? {
        let first = lastLine + 1
        while lastLine < source.lineCount {
            lastLine += 1
            var line = source.line(lastLine).unicodeScalars[...]
            if stripsTabs { line = line.drop { $0 == "\t" } }
            if line.elementsEqual(marker.unicodeScalars) {
                return source.lines(first, lastLine - 1)
            }
        }
        return nil
    }

    private mutating func readLine() -> LogicalLine? {
        guard lastLine < source.lineCount else { return nil }
        lastLine += 1
        var line = LogicalLine(at: place)
        line.append(
            source.line(lastLine).unicodeScalars, at: SourcePosition(line: lastLine, column: 1))
        return line
    }

    /// The line continues if the escape character ends it, blanks aside, and is not itself escaped.
    private func withoutContinuation(_ piece: Piece) -> (kept: Piece, continues: Bool) {
        let scalars = piece.line.scalars
        var end = piece.bounds.upperBound
        while end > piece.bounds.lowerBound, scalars[end - 1] == " " || scalars[end - 1] == "\t" {
            end -= 1
        }
        guard end > piece.bounds.lowerBound, scalars[end - 1] == escape else {
            return (piece, false)
        }
        if end - 1 > piece.bounds.lowerBound, scalars[end - 2] == escape { return (piece, false) }
        return (piece[piece.bounds.lowerBound..<end - 1], true)
    }
}

/// Something that is accepted now, but should be written otherwise.
public struct ParseWarning: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// An empty line among continuation lines.
        case emptyContinuation = "NoEmptyContinuation"
    }
    public var kind: Kind
    public var range: SourceRange

    /// What to do about it, in a sentence.
    public var message: String {
        switch kind {
        case .emptyContinuation: "empty continuation line; remove it, or begin it with #"
        }
    }
}

extension Piece {
    /// Without the white space before it.
    var trimmedStart: Piece {
        let start = line.scalars[bounds].firstIndex { !$0.isSpace } ?? bounds.upperBound
        return self[start..<bounds.upperBound]
    }
}
