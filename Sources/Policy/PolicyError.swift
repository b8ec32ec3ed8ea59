/// A policy that can't be carried out exactly as it is written, and where.
///
/// Nothing in a profile is skipped: what we don't understand, or can't express in a filter, ends here.
public struct PolicyError: Error, Equatable, Sendable {
    public enum Problem: Equatable, Sendable {
        case malformedJSON(String)
        case tooLarge(what: String, limit: Int)
        case missing
        case unknownField(String)
        case wrongType(expected: String)
        case unknownValue(String, of: String)
        case outOfRange(String)
        case contradiction(String)
        case unknownCall(String)
        /// Correct, but no filter of ours can carry it out.
        case unsupported(String)
    }

    public var problem: Problem
    public var place: Place

    public init(_ problem: Problem, at place: Place) {
        self.problem = problem
        self.place = place
    }
}

/// A spot in a policy file, for messages.
public struct Place: Equatable, Hashable, Sendable {
    /// The name of the file, or what stands for it.
    public var source: String
    public var line: Int?
    /// The index in `syscalls`, from 0.
    public var rule: Int?
    /// The way to the value below the rule, or below the top: `args[0].op`.
    public var field: String

    public init(source: String, line: Int? = nil, rule: Int? = nil, field: String = "") {
        self.source = source
        self.line = line
        self.rule = rule
        self.field = field
    }

    func field(_ name: String, line: Int? = nil) -> Place {
        var inner = self
        inner.field = field.isEmpty ? name : "\(field).\(name)"
        inner.line = line ?? self.line
        return inner
    }

    func element(_ index: Int, line: Int? = nil) -> Place {
        var inner = self
        inner.field = "\(field)[\(index)]"
        inner.line = line ?? self.line
        return inner
    }
}

extension PolicyError: CustomStringConvertible {
    public var description: String { "\(place): \(problem)" }
}

extension Place: CustomStringConvertible {
    public var description: String {
        var text = source
        if let line { text += ":\(line)" }
        if let rule { text += ": rule \(rule)" }
        if !field.isEmpty { text += rule == nil ? ": \(field)" : ", \(field)" }
        return text
    }
}

extension PolicyError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformedJSON(let why): "not JSON: \(why)"
        case .tooLarge(let what, let limit): "more than \(limit) \(what)"
        case .missing: "is missing"
        case .unknownField(let name): "unknown field \(printable(name))"
        case .wrongType(let expected): "must be \(expected)"
        case .unknownValue(let value, let kind): "unknown \(kind) \(printable(value))"
        case .outOfRange(let why): why
        case .contradiction(let why): why
        case .unknownCall(let name): "no system call is named \(printable(name))"
        case .unsupported(let why): "can't be enforced: \(why)"
        }
    }
}

/// `text` without control characters and of a bounded length: profiles are foreign.
private func printable(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(80).map { scalar in
        scalar.properties.generalCategory == .control
            || scalar.properties.generalCategory == .format
            ? "?" : String(scalar)
    }
    return shown.joined() + (text.unicodeScalars.count > 80 ? "…" : "")
}
