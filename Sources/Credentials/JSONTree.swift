/// A JSON document as it was written: members in their order, numbers digit for digit.
///
/// A decoder into types of ours would lose what other tools keep in the same file. RFC 8259.
enum JSONTree: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(String)
    case string(String)
    case array([JSONTree])
    case object([Member])

    struct Member: Sendable, Equatable {
        var name: String
        var value: JSONTree
    }

    /// The value of a member. Setting appends a new one, nil removes. What is no object has no members, and gets none.
    subscript(name: String) -> JSONTree? {
        get {
            guard case .object(let members) = self else { return nil }
            // Of two members of one name the last counts, as in Go.
            return members.last { $0.name == name }?.value
        }
        set {
            guard case .object(var members) = self else { return }
            if let newValue {
                if let index = members.lastIndex(where: { $0.name == name }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(name: name, value: newValue))
                }
            } else {
                members.removeAll { $0.name == name }
            }
            self = .object(members)
        }
    }

    var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
}

// MARK: - Writing

extension JSONTree {
    /// With tabs and a line for each member, as Docker writes its files.
    var formatted: String {
        var text = ""
        write(to: &text, depth: 0)
        return text + "\n"
    }

    private func write(to text: inout String, depth: Int) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let value): text += Self.quoted(value)
        case .array(let values):
            Self.writeList(values, "[", "]", to: &text, depth) { value, text in
                value.write(to: &text, depth: depth + 1)
            }
        case .object(let members):
            Self.writeList(members, "{", "}", to: &text, depth) { member, text in
                text += Self.quoted(member.name) + ": "
                member.value.write(to: &text, depth: depth + 1)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element], _ open: String, _ close: String, to text: inout String,
        _ depth: Int, each: (Element, inout String) -> Void
    ) {
        text += open
        for (index, element) in elements.enumerated() {
            text += (index == 0 ? "\n" : ",\n") + String(repeating: "\t", count: depth + 1)
            each(element, &text)
        }
        if !elements.isEmpty { text += "\n" + String(repeating: "\t", count: depth) }
        text += close
    }

    /// RFC 8259, section 7.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
