import Limits

/// Reads one JSON document. RFC 8259.
struct JSONReader {
    /// Where it stopped being JSON. What stands there is not told: it may be a secret.
    struct Failure: Error { var offset: Int }

    static let maximumDepth = Limit.credentialDepth

    private let bytes: [UInt8]
    private var position = 0

    static func read(_ bytes: [UInt8]) throws(Failure) -> JSONTree {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Failure(offset: 0) }
        var reader = JSONReader(bytes: bytes)
        let tree = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.failure }
        return tree
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var failure: Failure { Failure(offset: position) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONTree {
        guard depth < Self.maximumDepth else { throw failure }
        skipBlanks()
        guard let next else { throw failure }
        switch Unicode.Scalar(next) {
        case "{": return .object(try members(depth: depth))
        case "[": return .array(try elements(depth: depth))
        case "\"": return .string(try string())
        case "t": return try word("true", .bool(true))
        case "f": return try word("false", .bool(false))
        case "n": return try word("null", .null)
        case "-", "0"..."9": return .number(try number())
        default: throw failure
        }
    }

    private mutating func word(_ word: String, _ value: JSONTree) throws(Failure) -> JSONTree {
        guard bytes[position...].starts(with: word.utf8) else { throw failure }
        position += word.utf8.count
        return value
    }

    private mutating func members(depth: Int) throws(Failure) -> [JSONTree.Member] {
        var members: [JSONTree.Member] = []
        position += 1
        skipBlanks()
        if take("}") { return [] }
        repeat {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw failure }
            let name = try string()
            skipBlanks()
            guard take(":") else { throw failure }
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw failure }
        return members
    }

    private mutating func elements(depth: Int) throws(Failure) -> [JSONTree] {
        var elements: [JSONTree] = []
        position += 1
        skipBlanks()
        if take("]") { return [] }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
        } while take(",")
        guard take("]") else { throw failure }
        return elements
    }

    private mutating func number() throws(Failure) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        if position == start { throw failure }
    }

    private mutating func string() throws(Failure) -> String {
        var text: [UInt8] = []
        position += 1
        while let byte = next {
            if byte < 0x20 { throw failure }
            position += 1
            switch Unicode.Scalar(byte) {
            case "\"": return String(decoding: text, as: UTF8.self)
            case "\\": text.append(contentsOf: String(try escaped()).utf8)
            default: text.append(byte)
            }
        }
        throw failure
    }

    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
        guard let byte = next else { throw failure }
        position += 1
        switch Unicode.Scalar(byte) {
        case "\"": return "\""
        case "\\": return "\\"
        case "/": return "/"
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let first = try unit()
            if let scalar = Unicode.Scalar(first) { return scalar }
            guard take("\\"), take("u") else { throw failure }
            let pair = [UInt16(first), UInt16(try unit())]
            guard first < 0xdc00, let text = String(validating: pair, as: UTF16.self),
                let scalar = text.unicodeScalars.first
            else { throw failure }
            return scalar
        default: throw failure
        }
    }

    private mutating func unit() throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
