/// A JSON value that prints the same text each time: keys sorted, two spaces a level.
public indirect enum JSONText: Sendable, Equatable {
    case string(String)
    case number(Int64)
    case truth(Bool)
    case list([JSONText])
    case object([String: JSONText])

    public static func optional(_ text: String?) -> JSONText? { text.map { .string($0) } }
    public static func strings(_ texts: [String]) -> JSONText { .list(texts.map { .string($0) }) }

    public func rendered(indent: Int = 0) -> String {
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch self {
        case .string(let text): return Self.quoted(text)
        case .number(let number): return String(number)
        case .truth(let truth): return truth ? "true" : "false"
        case .list(let items):
            if items.isEmpty { return "[]" }
            let lines = items.map { inner + $0.rendered(indent: indent + 1) }
            return "[\n" + lines.joined(separator: ",\n") + "\n" + outer + "]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.sorted { $0.key < $1.key }.map { key, value in
                inner + Self.quoted(key) + ": " + value.rendered(indent: indent + 1)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + outer + "}"
        }
    }

    /// A string of RFC 8259. Control characters are escaped, also those that JSON allows, and the ends of lines and paragraphs,
    /// which some readers take for the end of a line: what is printed never drives a terminal.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}

extension JSONText {
    /// An object of what is there: members that are nil are left out.
    public static func members(_ members: KeyValuePairs<String, JSONText?>) -> JSONText {
        var present: [String: JSONText] = [:]
        for (key, value) in members { present[key] = value }
        return .object(present)
    }
}
