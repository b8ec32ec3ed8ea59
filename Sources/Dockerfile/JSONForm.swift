/// What an argument is, read as JSON.
enum JSONForm {
    /// An array of strings, and nothing behind it.
    case strings([Word])
    /// Correct JSON, but not only strings in it.
    case otherValues
    /// Not JSON: the argument is in shell form.
    case none

    init(_ piece: Piece) {
        var reader = JSONReader(piece.trimmed)
        switch reader.array() {
        case nil: self = .none
        case .some(let items) where items.contains { $0 == nil }: self = .otherValues
        case .some(let items): self = .strings(items.compactMap { $0 })
        }
    }
}

/// RFC 8259, as strict as Go's reader. Only the strings of the outermost array are kept.
private struct JSONReader {
    private let piece: Piece
    private let scalars: [Unicode.Scalar]
    private let end: Int
    private var index: Int
    /// Values inside of values; what is nested deeper is taken for shell form.
    private var depth = 0
    private static let depthLimit = 64

    init(_ piece: Piece) {
        self.piece = piece
        scalars = piece.line.scalars
        index = piece.bounds.lowerBound
        end = piece.bounds.upperBound
    }

    /// Items of the array, nil for one that is no string; nil if this is no array.
    mutating func array() -> [Word?]? {
        guard take("[") else { return nil }
        var items: [Word?] = []
        skipSpace()
        if !take("]") {
            repeat {
                skipSpace()
                let start = index
                if peek == "\"" {
                    guard let text = string() else { return nil }
                    items.append(Word(text, range: piece[start..<index].range))
                } else {
                    guard value() else { return nil }
                    items.append(nil)
                }
                skipSpace()
            } while take(",")
            guard take("]") else { return nil }
        }
        return index == end ? items : nil
    }

    private var peek: Unicode.Scalar? { index < end ? scalars[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        index += 1
        return true
    }

    private mutating func take(word: String) -> Bool {
        for scalar in word.unicodeScalars where !take(scalar) { return false }
        return true
    }

    private mutating func skipSpace() {
        while let next = peek, " \t\r\n".unicodeScalars.contains(next) { index += 1 }
    }

    /// Reads a value and forgets it.
    private mutating func value() -> Bool {
        guard depth < Self.depthLimit else { return false }
        depth += 1
        defer { depth -= 1 }
        switch peek {
        case "\"": return string() != nil
        case "[": return list(close: "]") { $0.value() }
        case "{": return list(close: "}") { $0.member() }
        case "t": return take(word: "true")
        case "f": return take(word: "false")
        case "n": return take(word: "null")
        default: return number()
        }
    }

    private mutating func member() -> Bool {
        guard peek == "\"", string() != nil else { return false }
        skipSpace()
        guard take(":") else { return false }
        skipSpace()
        return value()
    }

    private mutating func list(
        close: Unicode.Scalar, item: (inout JSONReader) -> Bool
    ) -> Bool {
        index += 1
        skipSpace()
        if take(close) { return true }
        repeat {
            skipSpace()
            guard item(&self) else { return false }
            skipSpace()
        } while take(",")
        return take(close)
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0"), !digits() { return false }
        if take("."), !digits() { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return digits()
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = index
        while let next = peek, ("0"..."9").contains(next) { index += 1 }
        return index > start
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text: [Unicode.Scalar] = []
        while let next = peek {
            index += 1
            switch next {
            case "\"": return String(text)
            case "\\":
                guard let scalar = escaped() else { return nil }
                text.append(scalar)
            case _ where next.value < 0x20: return nil
            default: text.append(next)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let next = peek else { return nil }
        index += 1
        switch next {
        case "\"", "\\", "/": return next
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": return unicodeEscape()
        default: return nil
        }
    }

    /// Four digits, or two times four for what needs a surrogate pair; half a pair is U+FFFD.
    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = fourDigits() else { return nil }
        if let scalar = Unicode.Scalar(first) { return scalar }
        let start = index
        if first < 0xDC00, take("\\"), take("u"), let second = fourDigits(),
            (0xDC00...0xDFFF).contains(second)
        {
            return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        }
        index = start
        return "\u{FFFD}"
    }

    private mutating func fourDigits() -> UInt32? {
        guard index + 4 <= end else { return nil }
        let text = String(scalars[index..<index + 4])
        guard text.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
        index += 4
        return UInt32(text, radix: 16)
    }
}
