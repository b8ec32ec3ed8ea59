/// One JSON object on one line, its keys in the order in which they were given. RFC 8259.
///
/// Control characters are escaped, also those that JSON allows: a line never drives a terminal.
struct JSONLine {
    enum Value {
        case text(String)
        case integer(Int64)
        /// In seconds, to the millisecond.
        case seconds(Double)
        case flag(Bool)
    }

    private(set) var text: String

    /// Keys without a value are left out.
    init(_ fields: [(key: String, value: Value?)]) {
        let members = fields.compactMap { field in
            field.value.map { "\(Self.quoted(field.key)):\(Self.text(of: $0))" }
        }
        text = "{\(members.joined(separator: ","))}"
    }

    private static func text(of value: Value) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .integer(let number): "\(number)"
        case .seconds(let seconds): milliseconds(seconds)
        case .flag(let flag): flag ? "true" : "false"
        }
    }

    /// `1.25` as `1.250`. A clock that went back is shown as no time.
    private static func milliseconds(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds > 0 else { return "0.000" }
        let whole = Int64((min(seconds, 1e12) * 1000).rounded())
        let rest = "\(1000 + whole % 1000)".dropFirst()
        return "\(whole / 1000).\(rest)"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Controls, and the ends of lines and paragraphs, which some readers of lines take for the end of one.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
