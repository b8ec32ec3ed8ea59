import Limits

/// A JSON value and the line it begins on.
struct JSONNode: Equatable {
    indirect enum Value: Equatable {
        case null
        case bool(Bool)
        /// As it is written: a profile holds integers up to 2⁶⁴ − 1, which a Double would round.
        case number(String)
        case string(String)
        case array([JSONNode])
        case object([String: JSONNode])
    }

    var value: Value
    var line: Int

    /// Reads one JSON text.
    ///
    /// Stricter than the usual decoders where a profile could mean two things: a key that is given twice is an error,
    /// so are bytes that aren't UTF-8, and every value knows its line.
    init(parsing bytes: [UInt8], source: String) throws(PolicyError) {
        guard bytes.count <= PolicyLimits.bytes else {
            throw PolicyError(
                .tooLarge(what: "bytes", limit: PolicyLimits.bytes), at: Place(source: source))
        }
        var parser = JSONParser(bytes: bytes, source: source)
        self = try parser.document()
    }

    init(value: Value, line: Int) {
        self.value = value
        self.line = line
    }
}

/// What a policy file may hold at most; far above any real one.
enum PolicyLimits {
    static let bytes = Limit.policy
    static let depth = 16
    static let rules = 2048
    static let namesInRule = 2048
    static let conditionsInRule = 32
    static let listEntries = 512
}

/// RFC 8259, by recursive descent of bounded depth.
private struct JSONParser {
    let bytes: [UInt8]
    let source: String
    var position = 0
    var line = 1
    var depth = 0

    mutating func document() throws(PolicyError) -> JSONNode {
        let node = try value()
        skipSpace()
        if position < bytes.count { throw malformed("something follows the value") }
        return node
    }

    private mutating func value() throws(PolicyError) -> JSONNode {
        skipSpace()
        let start = line
        guard position < bytes.count else { throw malformed("it ends too early") }
        let value: JSONNode.Value
        switch bytes[position] {
        case UInt8(ascii: "{"): value = .object(try object())
        case UInt8(ascii: "["): value = .array(try array())
        case UInt8(ascii: "\""): value = .string(try string())
        case UInt8(ascii: "t"):
            try word("true")
            value = .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            value = .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            value = .null
        default: value = .number(try number())
        }
        return JSONNode(value: value, line: start)
    }

    private mutating func object() throws(PolicyError) -> [String: JSONNode] {
        try enter()
        defer { depth -= 1 }
        var members: [String: JSONNode] = [:]
        if skip(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw malformed("a key in quotes is missing")
            }
            let key = try string()
            guard skip(UInt8(ascii: ":")) else { throw malformed("a colon is missing") }
            let member = try value()
            if members.updateValue(member, forKey: key) != nil {
                throw malformed("a key is given twice")
            }
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw malformed("a comma or } is missing") }
        return members
    }

    private mutating func array() throws(PolicyError) -> [JSONNode] {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONNode] = []
        if skip(UInt8(ascii: "]")) { return elements }
        repeat {
            elements.append(try value())
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw malformed("a comma or ] is missing") }
        return elements
    }

    /// Steps over the bracket at hand.
    private mutating func enter() throws(PolicyError) {
        position += 1
        depth += 1
        if depth > PolicyLimits.depth { throw malformed("it is nested too deeply") }
    }

    private mutating func number() throws(PolicyError) -> String {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
                continue
            default: break
            }
            break
        }
        let digits = bytes[start..<position]
        if digits.isEmpty { throw malformed("a value is missing") }
        return String(decoding: digits, as: UTF8.self)
    }

    private mutating func word(_ word: String) throws(PolicyError) {
        guard bytes[position...].starts(with: word.utf8) else {
            throw malformed("a value is missing")
        }
        position += word.utf8.count
    }

    /// Skips space, then `byte` if it comes next.
    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: return
            }
            position += 1
        }
    }

    private func malformed(_ why: String) -> PolicyError {
        PolicyError(.malformedJSON(why), at: Place(source: source, line: line))
    }
}

// MARK: - Strings

extension JSONParser {
    private mutating func string() throws(PolicyError) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw malformed("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw malformed("a string holds a control character")
            default: text.append(byte)
            }
        }
        throw malformed("a string has no end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(PolicyError) {
        guard position < bytes.count else { throw malformed("a string has no end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try codePoint()).utf8))
        default: throw malformed("an escape is unknown")
        }
    }

    /// One `\uXXXX`, or two of them that make a pair.
    private mutating func codePoint() throws(PolicyError) -> Unicode.Scalar {
        var value = try hexadecimal()
        if (0xD800..<0xDC00).contains(value), bytes[position...].starts(with: "\\u".utf8) {
            position += 2
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw malformed("half a code point") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw malformed("half a code point") }
        return scalar
    }

    private mutating func hexadecimal() throws(PolicyError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw malformed("a string has no end") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("an escape is unknown")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
