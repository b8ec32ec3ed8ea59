/// Text as it was written, and where. Variables, quotes and escapes are still in it.
public struct Word: Sendable, Hashable {
    public var text: String
    public var range: SourceRange

    public init(_ text: String, range: SourceRange) {
        self.text = text
        self.range = range
    }
}

/// An instruction's text with its continuation lines joined; each scalar knows where it was written.
struct LogicalLine {
    private(set) var scalars: [Unicode.Scalar] = []
    /// Where each joined part begins, in `scalars` and in the file.
    private var segments: [(index: Int, position: SourcePosition)] = []
    /// Where the text is said to stand, if not in a file: on one line, so that no two words have the same place.
    private let place: SourceRange?

    init(at place: SourceRange? = nil) { self.place = place }

    /// Where scalars stand.
    func range(of bounds: Range<Int>) -> SourceRange {
        if let place {
            let (line, column) = (place.start.line, place.start.column)
            return SourceRange(
                SourcePosition(line: line, column: column + bounds.lowerBound),
                SourcePosition(line: line, column: column + bounds.upperBound))
        }
        let start = position(of: bounds.lowerBound)
        guard !bounds.isEmpty else { return SourceRange(start, start) }
        var end = position(of: bounds.upperBound - 1)
        end.column += 1
        return SourceRange(start, end)
    }

    mutating func append(_ part: some Sequence<Unicode.Scalar>, at position: SourcePosition) {
        segments.append((scalars.count, position))
        scalars.append(contentsOf: part)
    }

    /// Everything, as a piece.
    var whole: Piece { Piece(line: self, bounds: 0..<scalars.count) }

    private func position(of index: Int) -> SourcePosition {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].index <= index { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return SourcePosition(line: 1, column: 1) }
        let segment = segments[low - 1]
        return SourcePosition(
            line: segment.position.line, column: segment.position.column + index - segment.index)
    }
}

/// A part of a logical line.
struct Piece {
    let line: LogicalLine
    let bounds: Range<Int>

    var isEmpty: Bool { bounds.isEmpty }
    var scalars: ArraySlice<Unicode.Scalar> { line.scalars[bounds] }
    var text: String { String(scalars) }
    var word: Word { Word(text, range: range) }

    var range: SourceRange { line.range(of: bounds) }

    subscript(_ part: Range<Int>) -> Piece { Piece(line: line, bounds: part) }

    /// Without white space at both ends.
    var trimmed: Piece {
        var low = bounds.lowerBound
        var high = bounds.upperBound
        while low < high, line.scalars[low].isSpace { low += 1 }
        while high > low, line.scalars[high - 1].isSpace { high -= 1 }
        return self[low..<high]
    }

    /// What stands before and after the first `=`.
    func cutAtEquals() -> (name: Piece, value: Piece)? {
        guard let index = scalars.firstIndex(of: "=") else { return nil }
        return (self[bounds.lowerBound..<index], self[index + 1..<bounds.upperBound])
    }

    /// The first word and the rest, parted by blanks.
    func cutAtBlanks() -> (first: Piece, rest: Piece?) {
        guard let end = scalars.firstIndex(where: \.isBlank) else { return (self, nil) }
        let next = line.scalars[end..<bounds.upperBound].firstIndex { !$0.isBlank }
        return (
            self[bounds.lowerBound..<end], self[(next ?? bounds.upperBound)..<bounds.upperBound]
        )
    }

    /// Words between blanks. Quotes have no meaning here.
    func wordsBetweenBlanks() -> [Piece] {
        var words: [Piece] = []
        var start: Int?
        for index in bounds {
            if line.scalars[index].isBlank {
                if let begin = start { words.append(self[begin..<index]) }
                start = nil
            } else if start == nil {
                start = index
            }
        }
        if let begin = start { words.append(self[begin..<bounds.upperBound]) }
        return words
    }
}

extension Unicode.Scalar {
    /// White space in the sense of Unicode.
    var isSpace: Bool { properties.isWhitespace }
    /// What parts words of an instruction: a blank, but no line end and no wide space.
    var isBlank: Bool {
        self == " " || self == "\t" || self == "\u{B}" || self == "\u{C}" || self == "\r"
    }
}

extension String {
    init(_ scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self = String(view)
    }
}
