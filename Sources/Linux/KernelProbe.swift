import CShims
import Glibc
import SystemPackage

/// Something that the kernel may allow here or not, tried out by a child process that does it and ends.
public enum KernelProbe: Hashable, Sendable {
    public enum Namespace: Sendable { case mount, pid, network, ipc, hostname, cgroup }
    public enum FileSystem: Sendable { case tmpfs, devpts, mqueue, sysfs }
    public enum Filter: Sendable { case plain, listener, waitKillable }

    case userNamespace
    /// The value is how many there can be, one below the other.
    case userNamespaceDepth
    case namespace(Namespace)
    case proc(onlyProcesses: Bool)
    case mount(FileSystem)
    case mountCalls
    case mappedMount
    /// On a tmpfs; the value is 2 where layers go by descriptor, 1 where they go by path.
    case overlay
    /// The same with directories made in this one; `removeOverlayProbe(in:)` takes them away.
    case overlayBelow(Int32)
    case binfmt
    case clone3, unshare, openat2, closeRange, pidfdGetfd, memfd
    case filter(Filter)
    case nestedListener, listenerWakeUp
    /// The value is the number of the ABI.
    case landlock
    case landlockFiles, landlockNetwork, landlockScopes

    /// What came of a probe.
    public enum Outcome: Equatable, Sendable {
        case worked(Int)
        case refused(SystemError)
        /// It hung, or something killed it: nothing is known.
        case unanswered(String)
    }

    /// Asks. The calling thread waits, at most for `limit` and a moment.
    public func ask(limitMilliseconds limit: Int32) -> Outcome {
        let (number, argument) = raw
        var answer = sbx_probe_answer()
        var signal: CInt = 0
        let result = sbx_probe_run(number, argument, limit, &answer, &signal)
        if result < 0 {
            return .unanswered("no child process: \(Errno(rawValue: -result).inWords)")
        }
        switch sbx_probe_end(UInt32(result)) {
        case SBX_PROBE_ANSWERED:
            if answer.error == 0 { return .worked(Int(answer.value)) }
            let words = withUnsafeBytes(of: answer.during) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            return .refused(SystemError(words, Errno(rawValue: answer.error)))
        case SBX_PROBE_DIED:
            if signal == 0 { return .unanswered("the probe ended without an answer") }
            return .unanswered("the probe was killed: \(ExitStatus.signalled(signal))")
        default: return .unanswered("no answer in \(limit) ms")
        }
    }

    private var raw: (CInt, Int64) {
        func call(_ probe: sbx_probe, _ argument: Int = 0) -> (CInt, Int64) {
            (CInt(probe.rawValue), Int64(argument))
        }
        return switch self {
        case .userNamespace: call(SBX_PROBE_USERNS)
        case .userNamespaceDepth: call(SBX_PROBE_USERNS_DEPTH)
        case .namespace(let kind): call(SBX_PROBE_NAMESPACE, Self.flag(of: kind))
        case .proc(let onlyProcesses): call(SBX_PROBE_PROC, onlyProcesses ? 1 : 0)
        case .mount(let type): call(SBX_PROBE_MOUNT, Self.number(of: type))
        case .mountCalls: call(SBX_PROBE_MOUNT_API)
        case .mappedMount: call(SBX_PROBE_IDMAP_MOUNT)
        case .overlay: call(SBX_PROBE_OVERLAY)
        case .overlayBelow(let directory): call(SBX_PROBE_OVERLAY_BELOW, Int(directory))
        case .binfmt: call(SBX_PROBE_BINFMT)
        case .clone3: call(SBX_PROBE_CLONE3)
        case .unshare: call(SBX_PROBE_UNSHARE)
        case .openat2: call(SBX_PROBE_OPENAT2)
        case .closeRange: call(SBX_PROBE_CLOSE_RANGE)
        case .pidfdGetfd: call(SBX_PROBE_PIDFD_GETFD)
        case .memfd: call(SBX_PROBE_MEMFD)
        case .filter(.plain): call(SBX_PROBE_SECCOMP)
        case .filter(.listener): call(SBX_PROBE_SECCOMP, SBX_PROBE_LISTENER)
        case .filter(.waitKillable):
            call(SBX_PROBE_SECCOMP, SBX_PROBE_LISTENER | SBX_PROBE_WAIT_KILLABLE)
        case .nestedListener: call(SBX_PROBE_LISTENER_NESTED)
        case .listenerWakeUp: call(SBX_PROBE_LISTENER_SYNC)
        case .landlock: call(SBX_PROBE_LANDLOCK_ABI)
        case .landlockFiles: call(SBX_PROBE_LANDLOCK_FILES)
        case .landlockNetwork: call(SBX_PROBE_LANDLOCK_NETWORK)
        case .landlockScopes: call(SBX_PROBE_LANDLOCK_SCOPES)
        }
    }

    private static func flag(of kind: Namespace) -> Int {
        switch kind {
        case .mount: SBX_PROBE_NEWNS
        case .pid: SBX_PROBE_NEWPID
        case .network: SBX_PROBE_NEWNET
        case .ipc: SBX_PROBE_NEWIPC
        case .hostname: SBX_PROBE_NEWUTS
        case .cgroup: SBX_PROBE_NEWCGROUP
        }
    }

    private static func number(of type: FileSystem) -> Int {
        let raw =
            switch type {
            case .tmpfs: SBX_PROBE_TMPFS
            case .devpts: SBX_PROBE_DEVPTS
            case .mqueue: SBX_PROBE_MQUEUE
            case .sysfs: SBX_PROBE_SYSFS
            }
        return Int(raw.rawValue)
    }
}
