/// A seccomp filter, ready to be installed, and able to explain itself.
///
/// **Why the instructions are ours and not libseccomp's.** libseccomp keeps one tree of rules for each call and merges
/// what it is given. Measured with 2.5: an unconditional rule swallows all conditional ones of its call in either order;
/// of two unconditional rules the first wins silently; two conditions on one argument can't be in one rule, and the
/// engines that split them make an OR of an AND; every comparison has 64 bits, while the kernel reads 32 of an `int`,
/// so that `socket(0x1_0000_0028, …)` passes a rule against 40. Equality at 32 bits can be had from it by a mask, order
/// (`<`, `>`) can't, and Docker's own profile uses order. To be right we would decide everything before it and hand it
/// only disjoint rules; what is left for it then is a page of jumps. That page is in `BPF.swift`, it is compared with
/// the definition in `DecisionTable` by a test that interprets the program, and it keeps the way back from each verdict
/// to the rule. libseccomp still gives the numbers of the calls.
///
/// The program checks the ABI, then finds the call by binary search over ranges of equal decisions, then asks the
/// arguments where a rule does. A call that is allowed without a look at its arguments is answered from the kernel's
/// bitmap (5.11) and doesn't run the program at all.
public struct SeccompProgram: Sendable {
    /// What becomes of calls that the policy refuses with EPERM.
    public enum Denials: String, Sendable {
        /// They return EPERM at once.
        case errno
        /// They wait for the supervisor, which can say what was refused before it answers. If there is no listener they
        /// return ENOSYS: never more than was allowed.
        case notify
    }

    public let instructions: [BPFInstruction]
    public let target: SeccompTarget
    public let denials: Denials
    /// Calls that the supervisor is asked about where the policy allows them: by name, as far as this machine has them.
    public let watching: Set<String>
    /// The profile's flags; speculation is allowed where it names none, as runtimes do.
    ///
    /// Without those that would make the kernel refuse the installation: TSYNC together with a listener, which means
    /// nothing to a process of one thread anyway, and WAIT_KILLABLE_RECV without one.
    public let flags: SeccompFlags
    public let defaultAction: SeccompAction
    /// Rules of the profile that never decide, and contradict one that does: worth a warning.
    public let shadowed: [RuleOrigin]
    let table: DecisionTable

    public var count: Int { instructions.count }

    /// `struct sock_filter[count]`, in the byte order of all our machines.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * 8)
        for instruction in instructions {
            withUnsafeBytes(of: instruction.code.littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(instruction.ifTrue)
            bytes.append(instruction.ifFalse)
            withUnsafeBytes(of: instruction.k.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Whether the program can return USER_NOTIF at all, and so has to be installed with a listener.
    public var needsListener: Bool { needs.listener }

    /// What the policy decides about `call`, and because of which rule.
    ///
    /// Where `isNotified`, the filter itself returns USER_NOTIF: the supervisor refuses the call if `action` is a refusal, and
    /// handles it as a watched one if it is not.
    public func verdict(on call: SystemCall) -> Verdict { table.verdict(on: call) }

    /// The verdict on every call of this number by this machine's own convention; nil where its arguments matter.
    public func verdict(onAny number: UInt32) -> Verdict? {
        if let decision = table.decisions[Int(number)], !decision.clauses.isEmpty { return nil }
        return table.verdict(
            on: SystemCall(number: number, architecture: target.architecture.auditNumber))
    }

    /// Whether the supervisor is asked about calls with this verdict.
    public func isNotified(_ verdict: Verdict) -> Bool {
        needs.filterAction(for: verdict.action, of: verdict.call) == .notify
    }

    /// Whether `call` is made whatever its arguments, and nobody is asked first.
    public func allowsAlways(_ call: String) -> Bool {
        guard case .number(let number) = table.calls.meaning(of: call) else { return false }
        let decision = table.decisions[number] ?? DecisionTable.Decision()
        let actions =
            decision.clauses.map(\.action) + [decision.otherwise?.action ?? table.defaultAction]
        return actions.allSatisfy { $0.isExecution && needs.filterAction(for: $0, of: call) == $0 }
    }

    /// The number of `call` on this machine; nil where it has none.
    public func number(of call: String) -> Int? {
        if case .number(let number) = table.calls.meaning(of: call) { number } else { nil }
    }

    /// The name of a call of this machine.
    public func name(of number: UInt32) -> String? { table.names[Int(number)] }

    private var needs: Notifications { Notifications(denials: denials, watching: watching) }
}

/// Which calls the filter hands to the supervisor.
struct Notifications {
    var denials: SeccompProgram.Denials
    var watching: Set<String>

    var listener: Bool { denials == .notify || !watching.isEmpty }

    /// What the filter returns for what the policy decides about a call (nil: not in our table).
    func filterAction(for action: SeccompAction, of call: String?) -> SeccompAction {
        if denials == .notify && action == .errno(ErrorNumbers.permission) { return .notify }
        if let call, action.isExecution, watching.contains(call) { return .notify }
        return action
    }
}

extension SeccompProgram {
    /// Reads nothing but its arguments: the same policy, target, denials and watched calls give the same program.
    ///
    /// - Parameter watching: names of calls; those that no machine has are an error, those of other machines are not.
    public init(
        _ profile: SeccompProfile, for target: SeccompTarget, denials: Denials = .errno,
        watching: Set<String> = []
    ) throws(PolicyError) {
        try self.init(
            ResolvedProfile(profile, for: target), denials: denials, watching: watching)
    }

    public init(
        _ profile: ResolvedProfile, denials: Denials = .errno, watching: Set<String> = []
    ) throws(PolicyError) {
        var watched: Set<String> = []
        for name in watching.sorted() {
            switch profile.calls.meaning(of: name) {
            case .number: watched.insert(name)
            case .elsewhere: continue
            case .unknown:
                throw PolicyError(.unknownCall(name), at: Place(source: profile.source))
            }
        }
        let needs = Notifications(denials: denials, watching: watched)
        target = profile.target
        flags = (profile.flags ?? .allowSpeculation)
            .subtracting(needs.listener ? .threadSync : [.threadSync, .waitKillable])
        defaultAction = profile.defaultAction
        self.denials = denials
        self.watching = watched
        table = DecisionTable(profile)
        shadowed = table.shadowed.map(\.origin)
        var compiler = SeccompCompiler(table: table, notifications: needs)
        instructions = compiler.program()
        guard instructions.count <= BPFInstruction.limit else {
            throw PolicyError(
                .tooLarge(what: "instructions", limit: BPFInstruction.limit),
                at: Place(source: profile.source))
        }
    }
}
