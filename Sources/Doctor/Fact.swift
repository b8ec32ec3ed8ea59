/// One thing that is so on this host, and what it means for a build.
public struct Fact: Equatable, Sendable {
    /// How good it is for a build.
    public enum State: String, Sendable, CaseIterable {
        case good
        /// There, but less than could be.
        case degraded
        case missing
        /// Could not be found out; `detail` says why.
        case unknown
    }

    /// Stable: scripts, and `--require`, name a fact by it.
    public var name: String
    public var group: FactGroup
    /// A word or a number, for comparing.
    public var value: String
    public var state: State
    /// More about the value: the kernel's own words, a path, a version.
    public var detail: String?
    /// What a build makes of it, in a few words.
    public var meaning: String
    /// The one change that improves it, and who makes it; nil where there is none, or nothing to improve.
    public var remedy: String?

    public init(
        name: String, group: FactGroup, value: String, state: State, detail: String? = nil,
        meaning: String = "", remedy: String? = nil
    ) {
        (self.name, self.group, self.value, self.state) = (name, group, value, state)
        (self.detail, self.meaning, self.remedy) = (detail, meaning, remedy)
    }
}

/// What belongs together in a table.
public enum FactGroup: String, Sendable, CaseIterable {
    case system, namespaces, ids, mounts, calls, confinement, resources, store, network, platforms

    /// As a heading.
    public var title: String {
        switch self {
        case .system: "System"
        case .namespaces: "Namespaces"
        case .ids: "User and group ids"
        case .mounts: "Mounts"
        case .calls: "System calls"
        case .confinement: "Confinement"
        case .resources: "Resources"
        case .store: "Store"
        case .network: "Network and credentials"
        case .platforms: "Other platforms"
        }
    }
}

/// What a measurement found, before it has a name.
struct Finding: Equatable, Sendable {
    var value: String
    var state: Fact.State
    var detail: String?
    var remedy: String?

    static func good(_ value: String, _ detail: String? = nil) -> Finding {
        Finding(value: value, state: .good, detail: detail)
    }

    static func degraded(_ value: String, _ detail: String? = nil, remedy: String? = nil) -> Finding
    {
        Finding(value: value, state: .degraded, detail: detail, remedy: remedy)
    }

    static func missing(_ value: String, _ detail: String? = nil, remedy: String? = nil) -> Finding
    {
        Finding(value: value, state: .missing, detail: detail, remedy: remedy)
    }

    static func unknown(_ reason: String) -> Finding {
        Finding(value: "unknown", state: .unknown, detail: reason)
    }
}

/// A fact before it is measured.
struct FactDefinition: Sendable {
    var name: String
    var group: FactGroup
    /// What a build makes of it.
    var meaning: String
    /// Runs on a thread of its own, which is left behind where it takes too long.
    var measure: @Sendable (Place) -> Finding

    init(
        _ name: String, _ group: FactGroup, _ meaning: String,
        _ measure: @escaping @Sendable (Place) -> Finding
    ) {
        (self.name, self.group, self.meaning, self.measure) = (name, group, meaning, measure)
    }

    func fact(_ finding: Finding) -> Fact {
        Fact(
            name: name, group: group, value: finding.value, state: finding.state,
            detail: finding.detail, meaning: meaning, remedy: finding.remedy)
    }
}
