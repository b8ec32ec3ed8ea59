/// A place in a file. Lines and columns count from 1, columns in Unicode scalars.
public struct SourcePosition: Sendable, Hashable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// From `start` up to, and without, `end`.
public struct SourceRange: Sendable, Hashable {
    public var start: SourcePosition
    public var end: SourcePosition

    public init(_ start: SourcePosition, _ end: SourcePosition) {
        self.start = start
        self.end = end
    }
}

/// The bytes of a Dockerfile, known to be UTF-8 and cut into lines.
public struct SourceText: Sendable, Equatable {
    /// What messages call the file.
    public let file: String
    private let bytes: [UInt8]
    private let lineStarts: [Int]

    /// - Throws: `DockerfileError` where the file is too large, a line too long, or the text not UTF-8.
    public init(_ bytes: [UInt8], file: String) throws(DockerfileError) {
        self.file = file
        func refuse(_ problem: DockerfileError.Problem, line: Int, column: Int) -> DockerfileError {
            let position = SourcePosition(line: line, column: column)
            return DockerfileError(problem, file: file, range: SourceRange(position, position))
        }
        guard bytes.count <= Limits.fileSize else {
            throw refuse(.fileTooLarge(limit: Limits.fileSize), line: 1, column: 1)
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        var starts = [0]
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "\n") {
            starts.append(index + 1)
        }
        if starts.last == text.count { starts.removeLast() }
        self.bytes = text
        self.lineStarts = starts
        for number in starts.indices {
            let line = self.bytes(ofLine: number)
            guard line.count <= Limits.lineLength else {
                throw refuse(.lineTooLong(limit: Limits.lineLength), line: number + 1, column: 1)
            }
        }
        guard String(validating: text, as: UTF8.self) != nil else {
            let (line, column) = firstInvalid()
            throw refuse(.notUTF8, line: line, column: column)
        }
    }

    /// Lines of the file; a line end at its very end begins no further line.
    public var lineCount: Int { lineStarts.count }

    /// The line without its end. Numbers count from 1; "" outside the file.
    public func line(_ number: Int) -> String {
        guard lineStarts.indices.contains(number - 1) else { return "" }
        return String(decoding: Self.withoutEnd(bytes(ofLine: number - 1)), as: UTF8.self)
    }

    /// Lines `first` to `last` as written, line ends included.
    public func lines(_ first: Int, _ last: Int) -> String {
        guard first >= 1, first <= last, last <= lineStarts.count else { return "" }
        let end = last < lineStarts.count ? lineStarts[last] : bytes.count
        return String(decoding: bytes[lineStarts[first - 1]..<end], as: UTF8.self)
    }

    /// The lines of `range` with their numbers, one line around them, and a caret below the first.
    public func excerpt(_ range: SourceRange, context: Int = 1) -> String {
        guard lineCount > 0 else { return "" }
        let longest = 6
        let first = min(max(range.start.line, 1), lineCount)
        let last = min(max(range.end.line, first), lineCount, first + longest - 1)
        let shown = max(1, first - context)...min(lineCount, last + context)
        let width = String(shown.upperBound).count
        var result = ""
        for number in shown {
            let marker = (first...last).contains(number) ? ">" : " "
            let label = String(number)
            let padding = String(repeating: " ", count: width - label.count)
            let text = Self.printable(line(number))
            result += "\(marker) \(padding)\(label) |" + (text.isEmpty ? "\n" : " \(text)\n")
            if number == range.start.line {
                let blank = String(repeating: " ", count: width)
                result += "  \(blank) | \(underline(range))\n"
            }
        }
        return result
    }

    /// Spaces up to the range, a caret at its start, tildes along the rest of its first line.
    private func underline(_ range: SourceRange) -> String {
        let length = line(range.start.line).unicodeScalars.count
        let start = min(range.start.column, length + 1)
        let end = range.end.line == range.start.line ? min(range.end.column, length + 1) : start
        return String(repeating: " ", count: max(0, start - 1)) + "^"
            + String(repeating: "~", count: max(0, end - start - 1))
    }

    /// One column for each scalar, and nothing that a terminal obeys.
    private static func printable(_ line: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in line.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result.append(scalar == "\t" ? " " : "\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private func bytes(ofLine index: Int) -> ArraySlice<UInt8> {
        let end = index + 1 < lineStarts.count ? lineStarts[index + 1] : bytes.count
        return bytes[lineStarts[index]..<end]
    }

    private static func withoutEnd(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while line.last == UInt8(ascii: "\n") || line.last == UInt8(ascii: "\r") {
            line.removeLast()
        }
        return line
    }

    private func firstInvalid() -> (line: Int, column: Int) {
        for number in lineStarts.indices {
            let line = bytes(ofLine: number)
            if String(validating: line, as: UTF8.self) != nil { continue }
            var decoder = UTF8()
            var iterator = line.makeIterator()
            var column = 1
            while case .scalarValue = decoder.decode(&iterator) { column += 1 }
            return (number + 1, column)
        }
        return (1, 1)
    }
}
