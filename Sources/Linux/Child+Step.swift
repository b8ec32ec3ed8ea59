import CShims
import Glibc
public import SystemPackage

/// Everything that the set-up of one RUN needs, decided beforehand: the child parses nothing and looks nothing up.
///
/// Descriptors are borrowed for the length of `Child.step`.
public struct StepSpecification {
    /// A detached mount and the place it goes to.
    public struct Mount {
        public var tree, target: FileDescriptor

        public init(tree: FileDescriptor, target: FileDescriptor) {
            self.tree = tree
            self.target = target
        }
    }

    /// Where the file systems go that only the child can make, in its own namespaces: /proc, /dev/pts, /dev/mqueue, /sys.
    public struct Targets {
        public var proc, pts, mqueue, sys: FileDescriptor

        public init(
            proc: FileDescriptor, pts: FileDescriptor, mqueue: FileDescriptor, sys: FileDescriptor
        ) {
            self.proc = proc
            self.pts = pts
            self.mqueue = mqueue
            self.sys = sys
        }
    }

    /// One resource limit; getrlimit(2).
    public struct Limit: Equatable, Sendable {
        public var resource: Int32
        public var soft, hard: UInt64

        public init(resource: Int32, soft: UInt64, hard: UInt64) {
            self.resource = resource
            self.soft = soft
            self.hard = hard
        }
    }

    public var newNetwork: Bool
    /// Whether a process with our ids and no capability may open its namespaces, from `awaitSight()` to `proceed()`.
    public var comesIntoSight = false
    /// With a network of its own: where no route leads.
    public var refusedAddresses: [IPAddress] = []
    public var root: FileDescriptor
    /// A directory of this process alone: the rootfs is attached there, in the child's mounts, before the pivot.
    public var attachAt: [UInt8]
    public var mounts: [Mount]
    public var targets: Targets
    public var emptyDirectory: FileDescriptor
    public var nullDevice: FileDescriptor
    /// Paths below /proc.
    public var masked, readOnly: [String]
    /// Paths below /sys.
    public var maskedSys: [String] = []
    public var hostname: String
    public var output, error: FileDescriptor
    public var limits: [Limit]
    /// The highest process id of the sandbox, where the kernel counts them for each PID namespace (Linux 6.14); 0 for as it is.
    public var highestProcessID: UInt32 = 0
    public var noNewPrivileges: Bool
    public var landlockScopes: UInt64
    /// LANDLOCK_ACCESS_NET_* that the command does not have.
    public var landlockNetwork: UInt64 = 0
    /// The seccomp program: `struct sock_filter`, 8 bytes each.
    public var filter: [UInt8]
    /// What to install where no listener can be had; set, `filter` is installed with one, and has to allow write(2) without asking
    /// it.
    public var filterWithoutListener: [UInt8]?
    /// False where setgroups(2) is denied in the namespace: then the invoker's groups stay.
    public var dropsGroups: Bool
    public var capabilities: UInt64
    public var uid, gid: UInt32
    public var groups: [UInt32]
    public var workingDirectory: [UInt8]
    /// Tried in order; the PATH search has been done.
    public var programs: [[UInt8]]
    public var arguments, environment: [[UInt8]]

    public init(
        newNetwork: Bool, root: FileDescriptor, attachAt: [UInt8], mounts: [Mount],
        targets: Targets,
        emptyDirectory: FileDescriptor, nullDevice: FileDescriptor, masked: [String],
        readOnly: [String],
        hostname: String, output: FileDescriptor, error: FileDescriptor, limits: [Limit],
        noNewPrivileges: Bool,
        landlockScopes: UInt64, filter: [UInt8], filterWithoutListener: [UInt8]?,
        dropsGroups: Bool, capabilities: UInt64, uid: UInt32, gid: UInt32, groups: [UInt32],
        workingDirectory: [UInt8], programs: [[UInt8]], arguments: [[UInt8]], environment: [[UInt8]]
    ) {
        self.newNetwork = newNetwork
        self.root = root
        self.attachAt = attachAt
        self.mounts = mounts
        self.targets = targets
        self.emptyDirectory = emptyDirectory
        self.nullDevice = nullDevice
        self.masked = masked
        self.readOnly = readOnly
        self.hostname = hostname
        self.output = output
        self.error = error
        self.limits = limits
        self.noNewPrivileges = noNewPrivileges
        self.landlockScopes = landlockScopes
        self.filter = filter
        self.filterWithoutListener = filterWithoutListener
        self.dropsGroups = dropsGroups
        self.capabilities = capabilities
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.workingDirectory = workingDirectory
        self.programs = programs
        self.arguments = arguments
        self.environment = environment
    }
}

/// What a step sees as /proc; the later, the weaker.
public enum ProcView: String, Sendable, Codable {
    /// A fresh one.
    case fresh
    /// A fresh one that holds processes alone.
    case onlyProcesses = "only-processes"
    /// That of the place around us, where the kernel allows no other.
    case borrowed

    init(_ raw: Int32) {
        switch UInt32(bitPattern: raw) {
        case SBX_PROC_FRESH.rawValue: self = .fresh
        case SBX_PROC_ONLY_PROCESSES.rawValue: self = .onlyProcesses
        default: self = .borrowed
        }
    }
}

/// How a step's command came to its end.
public enum StepOutcome: Equatable, Sendable {
    case ended(ExitStatus)
    /// The set-up failed, or the program could not be executed.
    case failed(ChildReport)
    /// The sandbox was killed from outside: cancelled, or out of memory.
    case killed

    /// The command's own; of a step without one, SIGKILL.
    public var status: ExitStatus {
        if case .ended(let status) = self { status } else { .signalled(SIGKILL) }
    }
}

extension Child {
    /// Clones the sandbox of one RUN; it waits for its id maps until `proceed()`.
    ///
    /// The calling thread must live until the child is reaped.
    public static func step(_ specification: StepSpecification) throws(Errno) -> Child {
        let s = specification
        let mounts = s.mounts.map { sbx_mount(tree: $0.tree.rawValue, target: $0.target.rawValue) }
        let limits = s.limits.map { sbx_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }
        let masked = CStringArray(s.masked.map { Array($0.utf8) })
        let maskedSys = CStringArray(s.maskedSys.map { Array($0.utf8) })
        let refused = ByteMemory(s.refusedAddresses.flatMap(\.bytes))
        let readOnly = CStringArray(s.readOnly.map { Array($0.utf8) })
        let programs = CStringArray(s.programs)
        let arguments = CStringArray(s.arguments)
        let environment = CStringArray(s.environment)
        let plain = ByteMemory(s.filterWithoutListener ?? [])
        var raw = sbx_child()
        // The child has a copy of this memory: all of it must be in place at the clone, and only then.
        let result = mounts.withUnsafeBufferPointer { mounts in
            limits.withUnsafeBufferPointer { limits in
                s.filter.withUnsafeBytes { filter in
                    s.groups.withUnsafeBufferPointer { groups in
                        withCPath(s.workingDirectory) { workingDirectory in
                            withCPath(s.attachAt) { attachAt in
                                s.hostname.withCString { hostname in
                                    var spec = sbx_step_spec()
                                    spec.new_network = s.newNetwork ? 1 : 0
                                    spec.comes_into_sight = s.comesIntoSight ? 1 : 0
                                    spec.refused = refused.start.assumingMemoryBound(
                                        to: sbx_address.self)
                                    spec.refused_count = s.refusedAddresses.count
                                    spec.root = s.root.rawValue
                                    spec.attach_at = attachAt
                                    spec.mounts = mounts.baseAddress
                                    spec.mount_count = mounts.count
                                    spec.proc_target = s.targets.proc.rawValue
                                    spec.pts_target = s.targets.pts.rawValue
                                    spec.mqueue_target = s.targets.mqueue.rawValue
                                    spec.sys_target = s.targets.sys.rawValue
                                    spec.empty_directory = s.emptyDirectory.rawValue
                                    spec.null_device = s.nullDevice.rawValue
                                    spec.masked = masked.pointers
                                    spec.read_only = readOnly.pointers
                                    spec.masked_sys = maskedSys.pointers
                                    spec.hostname = hostname
                                    spec.output = s.output.rawValue
                                    spec.error = s.error.rawValue
                                    spec.input = -1
                                    spec.limits = limits.baseAddress
                                    spec.limit_count = limits.count
                                    spec.highest_pid = s.highestProcessID
                                    spec.no_new_privs = s.noNewPrivileges ? 1 : 0
                                    spec.landlock_scopes = s.landlockScopes
                                    spec.landlock_network = s.landlockNetwork
                                    spec.filter = filter.baseAddress
                                    spec.filter_count = UInt16(filter.count / 8)
                                    spec.listens = s.filterWithoutListener == nil ? 0 : 1
                                    spec.plain_filter = plain.start
                                    spec.plain_filter_count = UInt16(plain.count / 8)
                                    spec.drops_groups = s.dropsGroups ? 1 : 0
                                    spec.capabilities = s.capabilities
                                    spec.uid = s.uid
                                    spec.gid = s.gid
                                    spec.groups = groups.baseAddress
                                    spec.group_count = groups.count
                                    spec.working_directory = workingDirectory
                                    spec.programs = programs.pointers
                                    spec.arguments = arguments.pointers
                                    spec.environment = environment.pointers
                                    return sbx_clone_step(&spec, &raw)
                                }
                            }
                        }
                    }
                }
            }
        }
        withExtendedLifetime(
            (masked, maskedSys, refused, readOnly, programs, arguments, environment, plain)
        ) {}
        _ = try Errno.check(result)
        return Child(raw)
    }

    /// Waits until a step that `comesIntoSight` has done so; it waits for its id maps then.
    public func awaitSight() throws(SystemError) {
        let report = try during("wait for the sandbox") { () throws(Errno) in try nextReport() }
        guard let report else { throw SystemError("wait for the sandbox", .noSuchProcess) }
        if UInt32(bitPattern: report.step) == SBX_STEP_IN_SIGHT.rawValue { return }
        throw SystemError(Child.words(forStep: report.step), Errno(rawValue: report.value))
    }

    /// Waits until the filter stands, in a step that has a `filterWithoutListener`, and takes the listener.
    ///
    /// Serve it at once: the command waits in every call that it is asked about. What comes back otherwise is the reason why there
    /// is none, or how the step ended before it could have one; init must be let go by `proceed()` in each case.
    public func awaitListener() throws(Errno) -> StepListener {
        guard let report = try nextReport() else { return .ended(nil) }
        switch UInt32(bitPattern: report.step) {
        case SBX_STEP_LISTENING.rawValue:
            return .listening(
                SharedDescriptor(
                    OwnedDescriptor(
                        owning: try Errno.check(sbx_pidfd_getfd(pidfd.raw, report.value)))))
        case SBX_STEP_NOT_LISTENING.rawValue:
            return .unavailable(Errno(rawValue: report.value))
        default: return .ended(ChildLastWord(step: report.step, value: report.value))
        }
    }

    /// Waits until the command has ended and every process of the sandbox with it.
    ///
    /// - Parameter after: what `awaitListener` gave, in a step that can have one.
    public mutating func awaitStep(after listener: StepListener? = nil) throws(Errno) -> StepOutcome
    {
        var report: ChildLastWord?
        if case .ended(let last)? = listener {
            report = last
        } else {
            report = try lastWord()
        }
        _ = try wait()
        guard let report else { return .killed }
        if UInt32(bitPattern: report.step) == SBX_STEP_EXITED.rawValue {
            return .ended(ExitStatus(waitStatus: report.value))
        }
        return .failed(
            ChildReport(
                step: Child.words(forStep: report.step), errno: Errno(rawValue: report.value),
                isExec: UInt32(bitPattern: report.step) == SBX_STEP_EXECVE.rawValue,
                isWorkingDirectory: UInt32(bitPattern: report.step)
                    == SBX_STEP_WORKING_DIRECTORY.rawValue))
    }
}

extension Child {
    /// The next report that is not about a listener: init may have told of the command's end while we took it.
    private func lastWord() throws(Errno) -> ChildLastWord? {
        while let report = try nextReport() {
            if UInt32(bitPattern: report.step) == SBX_STEP_NOT_LISTENING.rawValue { continue }
            return ChildLastWord(step: report.step, value: report.value)
        }
        return nil
    }
}

/// What became of the listener of a step.
public enum StepListener: Sendable {
    case listening(SharedDescriptor)
    /// ESRCH: the command's process ended before it could have one.
    case unavailable(Errno)
    /// The step failed before.
    case ended(ChildLastWord?)
}

/// What a step said last, before anything was made of it.
public struct ChildLastWord: Sendable {
    let step, value: Int32
}

/// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL where this kernel has them (ABI 6, Linux 6.12); else 0.
public func availableLandlockScopes() -> UInt64 { sbx_landlock_abi() >= 6 ? 3 : 0 }

/// LANDLOCK_ACCESS_NET_CONNECT_TCP where this kernel has it (ABI 4, Linux 6.7); else 0.
public func availableLandlockConnections() -> UInt64 { sbx_landlock_abi() >= 4 ? 2 : 0 }
