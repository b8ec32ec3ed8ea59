import Linux
import Policy
import SystemPackage

/// A supervised step's program, compiled once: or why this place can't have a supervisor.
struct Supervised: Sendable {
    let program: SeccompProgram
    let filter: [UInt8]
    let settings: Supervisor.Settings
    /// By call number: the verdict, where it does not depend on arguments, and whether it is a watched call that goes on.
    let verdicts: [QuickVerdict?]
    /// Set: steps run under the plain program.
    let obstacle: String?
    /// Set: the one NOTIFY of the program is ours, about sendto.
    private let asksAboutSends: Bool

    struct QuickVerdict {
        var verdict: Verdict
        var isWatched: Bool
    }

    init(
        _ supervision: StepSupervision, _ policy: SandboxPolicy, _ architecture: Architecture,
        _ kernel: KernelVersion, dropsGroups: Bool
    ) throws {
        var policy = policy
        if supervision.refusesAddresses {
            let plain = try policy.program(architecture: architecture, kernel: kernel)
            policy.seccomp.rules.insert(
                contentsOf: try AddressRules.rules(asksForSends: plain.allowsAlways("sendto")),
                at: 0)
        }
        let program = try policy.program(
            architecture: architecture, kernel: kernel,
            denials: supervision.explainsDenials ? .notify : .errno,
            watching: supervision.watchedCalls)
        self.program = program
        filter = program.bytes
        var handlers: [UInt32: CallHandler] = [:]
        for call in program.watching {
            if let number = program.number(of: call), let handler = Self.handlers[call] {
                handlers[UInt32(number)] = handler
            }
        }
        if supervision.refusesAddresses, let number = program.number(of: "sendto") {
            handlers[UInt32(number)] = .sendTo
        }
        settings = Supervisor.Settings(
            handlers: handlers, idMaps: supervision.idMaps.map { ($0.uid, $0.gid) },
            hidesOwnerRecords: supervision.hidesOwnerRecords, dropsGroups: dropsGroups,
            refusedAddresses: supervision.refusedAddresses)
        asksAboutSends = supervision.refusesAddresses
        obstacle = Self.obstacle(program, limitsConnections: supervision.refusesAddresses)
        verdicts = (0..<1024).map { number in
            program.verdict(onAny: number).map {
                QuickVerdict(
                    verdict: $0,
                    isWatched: Self.isWatched(
                        $0, by: program, asksAboutSends: supervision.refusesAddresses))
            }
        }
    }

    /// Executed by the policy, and asked about: a watched call. Whatever else comes to the supervisor is refused.
    private static func isWatched(
        _ verdict: Verdict, by program: SeccompProgram, asksAboutSends: Bool
    ) -> Bool {
        if asksAboutSends && verdict.action == .notify && verdict.call == "sendto" { return true }
        return verdict.action.isExecution && program.isNotified(verdict)
    }

    /// What the policy says to a call that the supervisor was asked about.
    func verdict(on call: NotifiedCall) -> QuickVerdict {
        if call.architecture == program.target.architecture.auditNumber,
            Int(call.number) < verdicts.count, let quick = verdicts[Int(call.number)]
        {
            return quick
        }
        let verdict = program.verdict(
            on: SystemCall(
                number: call.number, architecture: call.architecture, arguments: call.arguments))
        return QuickVerdict(
            verdict: verdict,
            isWatched: Self.isWatched(verdict, by: program, asksAboutSends: asksAboutSends))
    }

    private static func obstacle(_ program: SeccompProgram, limitsConnections: Bool) -> String? {
        // The step's process says by write(2) that its filter stands, under that filter.
        if !program.allowsAlways("write") { return "the policy refuses write" }
        do throws(SystemError) { try Supervisor.check() } catch { return error.description }
        return limitsConnections ? listenerObstacle() : nil
    }

    /// Asked before a step whose Landlock domain leaves all connections to the supervisor: without one it would have none. What is
    /// found out only when the step begins stops it.
    private static func listenerObstacle() -> String? {
        guard case .refused(let error) = KernelProbe.filter(.listener).ask(limitMilliseconds: 2000)
        else { return nil }
        return reason(error.errno)
    }

    /// Why there is no listener, in words.
    static func reason(_ errno: Errno) -> String {
        switch errno {
        case .resourceBusy: "another seccomp listener is above this process"
        case .noSuchProcess: "the command's process was killed before it began"
        default: "install a seccomp listener: \(errno.inWords)"
        }
    }

    /// What is done about each watched call.
    static let handlers: [String: CallHandler] = [
        "chown": .chown, "lchown": .lchown, "fchown": .fchown, "fchownat": .fchownat,
        "setuid": .setuid, "setgid": .setgid, "setreuid": .setreuid, "setregid": .setregid,
        "setresuid": .setresuid, "setresgid": .setresgid, "setgroups": .setgroups,
        "getxattr": .getAttribute, "lgetxattr": .getAttribute, "fgetxattr": .getAttribute,
        "setxattr": .setAttribute, "lsetxattr": .setAttribute, "fsetxattr": .setAttribute,
        "removexattr": .removeAttribute, "lremovexattr": .removeAttribute,
        "fremovexattr": .removeAttribute, "listxattr": .listAttributes,
        "llistxattr": .listLinkAttributes, "flistxattr": .listDescriptorAttributes,
        "connect": .connect, "sendmsg": .sendMessage, "sendmmsg": .sendMessages,
        "getxattrat": .missing, "setxattrat": .missing, "listxattrat": .missing,
        "removexattrat": .missing,
    ]
}
