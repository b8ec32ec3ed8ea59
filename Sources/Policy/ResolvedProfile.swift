/// What a profile is resolved for.
public struct SeccompTarget: Hashable, Sendable {
    public var architecture: Architecture
    public var kernel: KernelVersion
    /// The bounding set: what the processes can have at most.
    public var capabilities: CapabilitySet

    public init(architecture: Architecture, kernel: KernelVersion, capabilities: CapabilitySet) {
        self.architecture = architecture
        self.kernel = kernel
        self.capabilities = capabilities
    }
}

/// Where a rule was written, and its author's reason.
public struct RuleOrigin: Hashable, Sendable {
    public var place: Place
    public var comment: String?
}

/// A profile on one machine: the rules that count there, one call each, with typed conditions.
///
/// Their order is the file's: by rule, then by name within a rule. Names of other machines' calls are gone.
public struct ResolvedProfile: Sendable {
    public struct Rule: Sendable {
        public var call: String
        public var number: Int
        /// All of them must hold.
        public var conditions: [TypedCondition]
        public var action: SeccompAction
        public var origin: RuleOrigin
    }

    public let target: SeccompTarget
    public let source: String
    public let defaultAction: SeccompAction
    public let flags: SeccompFlags?
    public let rules: [Rule]
    let calls: CallTable

    /// - Throws: `PolicyError` where a condition can't be true of the call it is about: an argument the call doesn't
    ///   have, a value wider than the argument, or a call whose arguments we don't know.
    public init(_ profile: SeccompProfile, for target: SeccompTarget) throws(PolicyError) {
        let calls = CallTable(target.architecture)
        var rules: [Rule] = []
        for rule in profile.rules where rule.counts(on: target) {
            let origin = RuleOrigin(place: rule.place, comment: rule.comment)
            for name in rule.names {
                switch calls.meaning(of: name) {
                case .elsewhere: continue
                case .unknown: throw PolicyError(.unknownCall(name), at: rule.place)
                case .number(let number):
                    let conditions = try rule.conditions(of: name)
                    rules.append(
                        Rule(
                            call: name, number: number, conditions: conditions, action: rule.action,
                            origin: origin))
                }
            }
        }
        self.target = target
        self.calls = calls
        self.rules = rules
        source = profile.source
        defaultAction = profile.defaultAction
        flags = profile.flags
    }
}

extension SeccompProfile.Rule {
    /// Docker's reading: every included capability is there and none of the excluded, and so on.
    fileprivate func counts(on target: SeccompTarget) -> Bool {
        guard includes.capabilities.isSubset(of: target.capabilities),
            excludes.capabilities.isDisjoint(with: target.capabilities)
        else { return false }
        let machine = target.architecture.goName
        guard includes.architectures.isEmpty || includes.architectures.contains(machine),
            !excludes.architectures.contains(machine)
        else { return false }
        if let oldest = includes.minimumKernel, target.kernel < oldest { return false }
        if let first = excludes.minimumKernel, target.kernel >= first { return false }
        return true
    }

    fileprivate func conditions(of call: String) throws(PolicyError) -> [TypedCondition] {
        if conditions.isEmpty { return [] }
        let list = place.field("args")
        guard let widths = ArgumentTable.widths(of: call) else {
            throw PolicyError(.unsupported("the arguments of \(call) aren't known to us"), at: list)
        }
        var typed: [TypedCondition] = []
        for (index, condition) in conditions.enumerated() {
            let place = list.element(index)
            guard condition.argument < widths.count else {
                throw PolicyError(
                    .outOfRange("\(call) has \(widths.count) arguments, counted from 0"), at: place)
            }
            typed.append(
                try TypedCondition(condition, width: widths[condition.argument], at: place))
        }
        return typed
    }
}
