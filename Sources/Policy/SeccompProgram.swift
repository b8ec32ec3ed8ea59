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

    /// What the program answers to `call`, and because of which rule.
    ///
    /// Where `isNotified`, the filter itself returns USER_NOTIF, and `action` is what the supervisor should answer.
    public func verdict(on call: SystemCall) -> Verdict { table.verdict(on: call) }

    /// Whether the supervisor is asked about calls with this verdict.
    public func isNotified(_ verdict: Verdict) -> Bool {
        denials.filterAction(for: verdict.action) == .notify
    }
}

extension SeccompProgram.Denials {
    /// What the filter returns for what the policy decides.
    func filterAction(for action: SeccompAction) -> SeccompAction {
        self == .notify && action == .errno(ErrorNumbers.permission) ? .notify : action
    }
}

extension SeccompProgram {
    /// Reads nothing but its arguments: the same policy and target give the same program.
    public init(
        _ profile: SeccompProfile, for target: SeccompTarget, denials: Denials = .errno
    ) throws(PolicyError) {
        try self.init(ResolvedProfile(profile, for: target), denials: denials)
    }

    public init(_ profile: ResolvedProfile, denials: Denials = .errno) throws(PolicyError) {
        target = profile.target
        flags = (profile.flags ?? .allowSpeculation)
            .subtracting(denials == .notify ? .threadSync : [.threadSync, .waitKillable])
        defaultAction = profile.defaultAction
        self.denials = denials
        table = DecisionTable(profile)
        shadowed = table.shadowed.map(\.origin)
        var compiler = SeccompCompiler(table: table, denials: denials)
        instructions = compiler.program()
        guard instructions.count <= BPFInstruction.limit else {
            throw PolicyError(
                .tooLarge(what: "instructions", limit: BPFInstruction.limit),
                at: Place(source: profile.source))
        }
    }
}
