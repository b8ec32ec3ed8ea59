import Dockerfile

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
            field.value.map { "\(JSONText.quoted(field.key)):\(Self.text(of: $0))" }
        }
        text = "{\(members.joined(separator: ","))}"
    }

    private static func text(of value: Value) -> String {
        switch value {
        case .text(let text): JSONText.quoted(text)
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
}
