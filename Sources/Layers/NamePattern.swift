/// A pattern for one component of a path, by the rules of Go's `filepath.Match`.
///
/// `*` is any text, `?` any character, `[a-z]` and `[^a-z]` one of a set, `\` takes a meaning away. A character is one of UTF-8,
/// or one byte where the name is none.
struct NamePattern: Equatable {
    private enum Part: Equatable {
        case any, one
        case literal(UInt32)
        case set([ClosedRange<UInt32>], isNegated: Bool)
    }

    private var parts: [Part] = []

    /// Whether `text` has wildcards at all. An escape alone is none.
    static func isPattern(_ text: some Collection<UInt8>) -> Bool {
        var isEscaped = false
        for byte in text {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?")
                || byte == UInt8(ascii: "[")
            {
                return true
            }
        }
        return false
    }

    /// Nil where a set does not end or is empty, and where nothing follows a `\`.
    init?(_ text: some Collection<UInt8>) {
        var rest = Self.characters(text)[...]
        while let character = rest.popFirst() {
            switch character {
            case Self.character("*"): if parts.last != .any { parts.append(.any) }
            case Self.character("?"): parts.append(.one)
            case Self.character("["):
                guard let set = Self.set(&rest) else { return nil }
                parts.append(set)
            case Self.character("\\"):
                guard let escaped = rest.popFirst() else { return nil }
                parts.append(.literal(escaped))
            default: parts.append(.literal(character))
            }
        }
    }

    private static func set(_ rest: inout ArraySlice<UInt32>) -> Part? {
        var isNegated = false
        if rest.first == character("^") {
            isNegated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<UInt32>] = []
        while true {
            if rest.first == character("]"), !ranges.isEmpty {
                rest.removeFirst()
                return .set(ranges, isNegated: isNegated)
            }
            guard let low = member(&rest) else { return nil }
            var high = low
            if rest.first == character("-") {
                rest.removeFirst()
                guard let end = member(&rest) else { return nil }
                high = end
            }
            // A range the wrong way round holds nothing.
            ranges.append(low <= high ? low...high : .max ... .max)
        }
    }

    private static func member(_ rest: inout ArraySlice<UInt32>) -> UInt32? {
        guard let first = rest.popFirst(), first != character("-"), first != character("]") else {
            return nil
        }
        return first == character("\\") ? rest.popFirst() : first
    }

    /// Whether the whole of `name` matches.
    func matches(_ name: some Collection<UInt8>) -> Bool {
        let characters = Self.characters(name)
        var (part, position) = (0, 0)
        // Where to go on when the text that the last `*` took was too short: never more than one of them is worth a second look.
        var retry: (part: Int, position: Int)?
        while position < characters.count || part < parts.count {
            if part < parts.count, parts[part] == .any {
                retry = (part, position + 1)
                part += 1
                continue
            }
            if part < parts.count, position < characters.count,
                Self.accepts(parts[part], characters[position])
            {
                part += 1
                position += 1
                continue
            }
            guard let again = retry, again.position <= characters.count else { return false }
            (part, position) = (again.part + 1, again.position)
            retry = (again.part, again.position + 1)
        }
        return true
    }

    private static func accepts(_ part: Part, _ character: UInt32) -> Bool {
        switch part {
        case .any, .one: true
        case .literal(let literal): literal == character
        case .set(let ranges, let isNegated):
            ranges.contains { $0.contains(character) } != isNegated
        }
    }

    private static func character(_ scalar: Unicode.Scalar) -> UInt32 { scalar.value }

    /// The characters of a name; a byte that belongs to none stands above all of Unicode, where nothing else can match it.
    private static func characters(_ bytes: some Collection<UInt8>) -> [UInt32] {
        let bytes = Array(bytes)
        var result: [UInt32] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let length =
                switch byte {
                case 0..<0x80: 1
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 0
                }
            if length > 0, index + length <= bytes.count,
                let text = String(validating: bytes[index..<index + length], as: UTF8.self),
                let scalar = text.unicodeScalars.first
            {
                result.append(scalar.value)
                index += length
            } else {
                result.append(0x11_0000 + UInt32(byte))
                index += 1
            }
        }
        return result
    }
}
