import CShims
import Glibc
import Synchronization
public import SystemPackage

/// How a process ended.
public enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    /// From wait(2).
    public init(waitStatus: CInt) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
    }

    public var isSuccess: Bool { self == .exited(0) }

    /// As a shell reports it.
    public var code: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }

    public var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal):
            "ended by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }
}

/// What a child said before its program ran: which part of the set-up failed.
public struct ChildReport: Equatable, Sendable {
    /// The set-up step, in words.
    public var step: String
    public var errno: Errno
    /// Whether it was the execve itself: then the command is at fault, not the place.
    public var isExec: Bool
    /// Whether it was the entering of the command's directory.
    public var isWorkingDirectory = false
}

/// A child in namespaces of its own, between its clone and its reaping.
///
/// It is killed and reaped with its owner. The thread that cloned it must outlive it, because of `PR_SET_PDEATHSIG`.
public struct Child: ~Copyable, Sendable {
    public let pid: Int32
    let pidfd: OwnedDescriptor
    private let go: OwnedDescriptor
    let report: OwnedDescriptor
    private var reaped = false
    private let notes = Notes()

    /// What a step told of itself on its way.
    private final class Notes: Sendable {
        let proc = Mutex(ProcView.fresh)
    }

    /// What a step that has begun sees as /proc.
    public var procView: ProcView { notes.proc.withLock { $0 } }

    init(_ raw: sbx_child) {
        pid = raw.pid
        pidfd = OwnedDescriptor(owning: raw.pidfd)
        go = OwnedDescriptor(owning: raw.go)
        report = OwnedDescriptor(owning: raw.report)
    }

    deinit {
        if reaped { return }
        var status: CInt = 0
        _ = sbx_pidfd_send_signal(pidfd.raw, SIGKILL)
        _ = sbx_wait_pidfd(pidfd.raw, &status)
    }

    /// A handle to signal the child with from another thread; it stays right when the child is gone.
    public func handle() throws(Errno) -> ProcessHandle { ProcessHandle(try pidfd.duplicate()) }

    /// Lets the child go on: its id maps stand.
    public func proceed() throws(Errno) { _ = try Errno.check(sbx_let_go(go.raw)) }

    /// Waits for the next word of the child: a failed set-up step, the end of a step's command, or nothing (end of file).
    func nextReport() throws(Errno) -> sbx_report? {
        while let message = try readReport() {
            if UInt32(bitPattern: message.step) != SBX_STEP_PROC.rawValue { return message }
            notes.proc.withLock { $0 = ProcView(message.value) }
        }
        return nil
    }

    private func readReport() throws(Errno) -> sbx_report? {
        var message = sbx_report()
        var count = 0
        var failure: Errno?
        withUnsafeMutableBytes(of: &message) { buffer in
            do throws(Errno) { count = try report.borrowed.readFully(into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return count == MemoryLayout<sbx_report>.size ? message : nil
    }

    /// Waits for the end of the process and reaps it.
    public mutating func wait() throws(Errno) -> ExitStatus {
        var status: CInt = 0
        _ = try Errno.check(sbx_wait_pidfd(pidfd.raw, &status))
        reaped = true
        return ExitStatus(waitStatus: status)
    }

    /// Writes the id maps of this child, as a process that has CAP_SETUID over its namespace's parent.
    ///
    /// - Parameter denyingGroups: writes "deny" to /proc/PID/setgroups first. Without that privilege the kernel takes only a map
    ///   of one's own id and group, and only after this; user_namespaces(7), "Defining user and group ID mappings".
    public func writeIDMaps(uid: IDMap, gid: IDMap, denyingGroups: Bool = false)
        throws(SystemError)
    {
        if denyingGroups { try write("deny", to: "setgroups") }
        try write(uid.kernelText, to: "uid_map")
        try write(gid.kernelText, to: "gid_map")
    }

    /// Lets the out-of-memory killer of the kernel count this child, and all that it starts, as larger than it is; proc(5),
    /// oom_score_adj: 1000 is all memory there is.
    public func preferAsVictim(by points: Int) {
        guard
            let file = try? FileDescriptor.workingDirectory.open(
                "/proc/self/oom_score_adj", .readOnly, resolve: .system),
            let bytes = try? file.borrowed.readAll(limit: 32),
            let ours = Int(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
        else { return }
        // Refused, the kernel goes by size alone.
        try? write("\(min(1000, ours + points))", to: "oom_score_adj")
    }

    private func write(_ text: String, to name: String) throws(SystemError) {
        try during("write /proc/\(pid)/\(name)") { () throws(Errno) in
            // The pid can't have been used again: we have not reaped the child.
            let file = try FileDescriptor.workingDirectory.open(
                "/proc/\(pid)/\(name)", .writeOnly, resolve: .noLinks)
            try file.borrowed.writeFully(Array(text.utf8))
        }
    }

    static func words(forStep step: Int32) -> String {
        switch sbx_step(UInt32(step)) {
        case SBX_STEP_RESET_SIGNALS: "reset signals"
        case SBX_STEP_DIE_WITH_PARENT, SBX_STEP_DIE_WITH_PARENT_AGAIN:
            "bind the sandbox's life to the builder's"
        case SBX_STEP_COME_INTO_SIGHT: "show the sandbox's namespaces"
        case SBX_STEP_AWAIT_ID_MAP: "wait for the id map"
        case SBX_STEP_CGROUP_NAMESPACE: "enter a cgroup namespace"
        case SBX_STEP_BECOME_ROOT: "become root of the namespace"
        case SBX_STEP_MAKE_MOUNTS_PRIVATE: "make mounts private"
        case SBX_STEP_SET_HOSTNAME: "set the host name"
        case SBX_STEP_RAISE_LOOPBACK: "raise the loopback interface"
        case SBX_STEP_REFUSE_ROUTES: "refuse routes to metadata services"
        case SBX_STEP_ATTACH_ROOT: "attach the root file system"
        case SBX_STEP_ATTACH_MOUNTS: "attach the sandbox's mounts"
        case SBX_STEP_MOUNT_PROC: "mount /proc in the sandbox"
        case SBX_STEP_LIMIT_PROCESS_IDS: "limit the number of processes"
        case SBX_STEP_PROTECT_PROC: "mask /proc in the sandbox"
        case SBX_STEP_MOUNT_DEV_PTS: "mount /dev/pts in the sandbox"
        case SBX_STEP_MOUNT_MQUEUE: "mount /dev/mqueue in the sandbox"
        case SBX_STEP_MOUNT_SYSFS: "mount /sys in the sandbox"
        case SBX_STEP_PIVOT_ROOT: "pivot into the root file system"
        case SBX_STEP_FORK_INIT: "start the command's process"
        case SBX_STEP_PART_FROM_COMMAND: "part the sandbox's first process from the command"
        case SBX_STEP_NEW_SESSION: "start a session"
        case SBX_STEP_STANDARD_STREAMS: "connect input and output"
        case SBX_STEP_CLOSE_DESCRIPTORS: "close descriptors"
        case SBX_STEP_NEW_KEYRING: "start a keyring"
        case SBX_STEP_RESOURCE_LIMITS: "set resource limits"
        case SBX_STEP_NO_NEW_PRIVS: "set no_new_privs"
        case SBX_STEP_LANDLOCK: "enter the Landlock domain"
        case SBX_STEP_SECCOMP_BEFORE_USER, SBX_STEP_SECCOMP: "install the seccomp filter"
        case SBX_STEP_BOUNDING_SET: "drop the bounding set"
        case SBX_STEP_SWITCH_USER: "switch to the user"
        case SBX_STEP_CAPABILITIES: "drop capabilities"
        case SBX_STEP_WORKING_DIRECTORY: "enter the working directory"
        case SBX_STEP_EXECVE: "execute the program"
        default: "set-up step \(step)"
        }
    }
}

/// A process by its pidfd, for signals from any thread.
public final class ProcessHandle: Sendable {
    private let pidfd: OwnedDescriptor

    init(_ pidfd: consuming OwnedDescriptor) { self.pidfd = pidfd }

    /// Kills the process. It may have ended already, and that is as good.
    public func kill() { _ = sbx_pidfd_send_signal(pidfd.raw, SIGKILL) }
}
