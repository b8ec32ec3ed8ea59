/// What the answers to an attack have to be like.
public struct Expectation: Sendable {
    public enum Rule: Sendable, ExpressibleByArrayLiteral {
        case among(Set<String>)
        case not(String)
        case anything

        public init(arrayLiteral elements: String...) { self = .among(Set(elements)) }

        func allows(_ value: String) -> Bool {
            switch self {
            case .among(let values): values.contains(value)
            case .not(let other): value != other
            case .anything: true
            }
        }
    }

    /// By the name of an answer; `mount*` is for all names that begin like this. The longest that fits counts.
    var rules: [String: Rule]
    /// Fewer answers mean that the attack was cut short.
    var leastCount: Int
    /// Names of answers that break their rule today, and in what words docs/security.md says so.
    public var known: [String: String]

    public init(
        _ rules: [String: Rule], atLeast leastCount: Int? = nil, known: [String: String] = [:]
    ) {
        self.rules = rules
        self.known = known
        self.leastCount = leastCount ?? rules.keys.count { !$0.hasSuffix("*") }
    }

    /// The lines `name value` that an attack prints.
    public static func answers(in text: String) -> [String: String] {
        Dictionary(
            text.split(separator: "\n").map { line in
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { first, _ in first })
    }

    /// What broke, and what breaks as it is known to; sorted.
    public func breaches(in answers: [String: String]) -> (new: [String], known: [String]) {
        var new: [String] = []
        var old: [String] = []
        for (name, value) in answers.sorted(by: { $0.key < $1.key }) {
            if rule(for: name)?.allows(value) == true { continue }
            if let words = known[name] {
                old.append("\(name): \(words)")
            } else {
                new.append("\(name) \(value)")
            }
        }
        if answers.count < leastCount {
            new.append("\(answers.count) answers of at least \(leastCount)")
        }
        return (new, old)
    }

    private func rule(for name: String) -> Rule? {
        if let exact = rules[name] { return exact }
        return rules.filter { $0.key.hasSuffix("*") && name.hasPrefix($0.key.dropLast()) }
            .max { $0.key.count < $1.key.count }?.value
    }
}
