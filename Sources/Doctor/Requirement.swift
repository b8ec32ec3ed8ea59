/// One word of `--require`: a fact that has to be good, to have a value, or a number.
public struct Requirement: Equatable, Sendable, CustomStringConvertible {
    public enum Condition: Equatable, Sendable {
        case good
        case equal(String)
        /// A number, or several with dots between them, as versions have.
        case atLeast([Int])
    }

    public var fact: String
    public var condition: Condition

    /// A word that says nothing, or names no fact.
    public enum Problem: Error, Equatable, CustomStringConvertible {
        case unknownFact(String, near: [String])
        case malformed(String)

        public var description: String {
            switch self {
            case .unknownFact(let name, let near):
                "there is no fact \(name)"
                    + (near.isEmpty
                        ? "; lichen doctor lists them"
                        : "; did you mean \(near.joined(separator: ", "))?")
            case .malformed(let word):
                "\"\(word)\" is neither NAME, NAME=VALUE nor NAME>=NUMBER"
            }
        }
    }

    /// Reads a comma list such as `userns,pidns,landlock>=6`.
    public static func parse(_ list: String) throws(Problem) -> [Requirement] {
        var result: [Requirement] = []
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            result.append(try Requirement(parsing: String(word)))
        }
        return result
    }

    init(parsing word: String) throws(Problem) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        var name = parts[0]
        if parts.count == 1 {
            condition = .good
        } else if name.hasSuffix(">") {
            name = name.dropLast()
            let numbers = parts[1].split(separator: ".", omittingEmptySubsequences: false)
                .map { Int($0) ?? -1 }
            if numbers.contains(where: { $0 < 0 }) { throw .malformed(word) }
            condition = .atLeast(numbers)
        } else {
            if parts[1].isEmpty { throw .malformed(word) }
            condition = .equal(String(parts[1]))
        }
        fact = String(name)
        if fact.isEmpty { throw .malformed(word) }
        let names = FactCatalog.names
        if !names.contains(fact) {
            throw .unknownFact(fact, near: NearNames.near(fact, among: names))
        }
    }

    public var description: String {
        switch condition {
        case .good: fact
        case .equal(let value): "\(fact)=\(value)"
        case .atLeast(let numbers):
            "\(fact)>=" + numbers.map(String.init).joined(separator: ".")
        }
    }

    /// Whether `fact` is as it has to be. What is unknown never is.
    public func isMet(by fact: Fact) -> Bool {
        if fact.state == .unknown { return false }
        switch condition {
        case .good: return fact.state == .good
        case .equal(let value): return fact.value == value
        case .atLeast(let least):
            let numbers = Fact.numbers(fact.value)
            return !numbers.isEmpty && !numbers.lexicographicallyPrecedes(least)
        }
    }
}

extension Fact {
    /// The numbers that a value begins with, with dots between them: `[6, 12]` of `6.12`. No limit is more than any.
    static func numbers(_ value: String) -> [Int] {
        if value == "unlimited" { return [.max] }
        let front = value.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        return front.split(separator: ".").compactMap { Int($0) }
    }
}

/// What a build insists on, and where it would work.
public struct Requirements: Sendable {
    var list: [Requirement]
    var place: Place

    public init(_ list: [Requirement], place: Place) {
        self.list = list
        self.place = place
    }

    /// Whether something is asked of this fact.
    public func names(_ fact: String) -> Bool { list.contains { $0.fact == fact } }

    /// A requirement that this host does not meet.
    public struct Unmet: Error, Sendable {
        public var requirement: Requirement
        public var fact: Fact

        public var message: String {
            let detail = fact.detail.map { " (\($0))" } ?? ""
            return "--require \(requirement): \(fact.name) is \(fact.value)\(detail)"
        }
    }

    /// Measures the facts that are named, and no other. Throws for the first that is not met.
    public func check() throws(Unmet) {
        let facts = Examination(place).facts(Set(list.map(\.fact)))
        for requirement in list {
            guard let fact = facts.first(where: { $0.name == requirement.fact }) else { continue }
            if !requirement.isMet(by: fact) { throw Unmet(requirement: requirement, fact: fact) }
        }
    }
}
