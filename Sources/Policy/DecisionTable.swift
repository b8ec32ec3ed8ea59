/// What a resolved profile means, call by call.
///
/// This is the whole semantics, and the filter is compiled from it alone:
///
/// 1. A rule without conditions is what its call comes to when no condition of another rule is true, wherever it stands
///    in the file. So `ALLOW socket` beside `ERRNO socket(a0 == 40)` refuses 40 and allows the rest.
/// 2. Rules with conditions are asked in the file's order; the first whose conditions are *all* true decides. Two
///    conditions on one argument are both asked (runc and crun turn them into an OR).
/// 3. Of several rules without conditions the first decides. The others, if they say something else, are `shadowed`.
/// 4. No rule: the default action.
/// 5. A condition sees as many bits of an argument as the kernel does, and compares without sign.
/// 6. A number that isn't in our table returns ENOSYS where the default action refuses, so that a program written for a
///    newer kernel takes its older way; otherwise the default action.
/// 7. Calls of a foreign ABI are refused whatever the profile lists, because conditions are about native arguments: i386
///    calls end the process, since a 32-bit program can't go on without any call; numbers with x32's bit return ENOSYS,
///    as on a kernel without x32.
///
/// Docker's and Podman's profiles come out as their authors describe them, and as the kernel would take them if
/// libseccomp didn't merge their rules: there an unconditional rule swallows every conditional one.
struct DecisionTable: Sendable {
    /// One call: clauses in order, and what holds when none does.
    struct Decision: Sendable {
        var clauses: [ResolvedProfile.Rule] = []
        var otherwise: ResolvedProfile.Rule?
    }

    let decisions: [Int: Decision]
    let calls: CallTable
    var names: [Int: String] { calls.names }
    let architecture: Architecture
    let defaultAction: SeccompAction
    let unknownAction: SeccompAction
    /// Rules that never decide anything, because one before them always does.
    let shadowed: [ResolvedProfile.Rule]

    init(_ profile: ResolvedProfile) {
        var decisions: [Int: Decision] = [:]
        var shadowed: [ResolvedProfile.Rule] = []
        for rule in profile.rules {
            var decision = decisions[rule.number] ?? Decision()
            if !rule.conditions.isEmpty {
                decision.clauses.append(rule)
            } else if let first = decision.otherwise {
                if first.action != rule.action { shadowed.append(rule) }
            } else {
                decision.otherwise = rule
            }
            decisions[rule.number] = decision
        }
        self.decisions = decisions
        self.shadowed = shadowed
        calls = profile.calls
        architecture = profile.target.architecture
        defaultAction = profile.defaultAction
        unknownAction =
            profile.defaultAction.isRefusal
            ? .errno(ErrorNumbers.noSuchCall) : profile.defaultAction
    }

    static let foreignAction = SeccompAction.killProcess
    static let x32Action = SeccompAction.errno(ErrorNumbers.noSuchCall)
    /// The lowest number with x32's bit; x86_64 alone has it.
    static let firstX32Number: UInt32 = 0x4000_0000
    static let tracerNumber = UInt32.max

    func verdict(on call: SystemCall) -> Verdict {
        guard call.architecture == architecture.auditNumber else {
            return Verdict(action: Self.foreignAction, reason: .foreignABI)
        }
        if call.number == Self.tracerNumber {
            return Verdict(action: .allow, reason: .answeredByTracer)
        }
        if architecture == .x86_64 && call.number >= Self.firstX32Number {
            return Verdict(action: Self.x32Action, reason: .foreignABI)
        }
        let number = Int(call.number)
        guard let name = names[number] else {
            return Verdict(action: unknownAction, reason: .unknownCall)
        }
        let decision = decisions[number] ?? Decision()
        let clause = decision.clauses.first { clause in
            clause.conditions.allSatisfy { $0.holds(for: call.arguments) }
        }
        guard let rule = clause ?? decision.otherwise else {
            return Verdict(action: defaultAction, reason: .defaultAction, call: name)
        }
        return Verdict(action: rule.action, reason: .rule(rule.origin), call: name)
    }
}
