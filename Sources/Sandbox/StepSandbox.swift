import Defences
public import Linux
public import Policy
public import SystemPackage

/// Runs one command confined in a rootfs: namespaces of its own below the caller's, a fresh /proc, a minimal /dev, few
/// capabilities, Landlock scopes and a seccomp filter.
///
/// The caller is root of namespace A. One value serves many steps, on several threads.
public struct StepSandbox: Sendable {
    /// What the sandbox enforces.
    public let policy: SandboxPolicy
    public let idMaps: (uid: IDMap, gid: IDMap)
    let supervision: StepSupervision
    /// In the order of preference.
    public var networkHelpers = NetworkHelper.Kind.allCases
    private let limiter: StepLimiter
    /// False where setgroups(2) is denied in the namespace, as with a single id: then a RUN keeps the invoker's groups.
    private let dropsGroups: Bool
    private let plain: SeccompProgram
    private let plainFilter: [UInt8]
    /// The program that asks the supervisor, or why there can't be one; nil where nothing is wanted.
    let supervised: Supervised?
    /// The policy's paths, relative to /proc; and those that are hidden, relative to /sys.
    private let masked, readOnly, maskedSys: [String]

    /// - Parameters:
    ///   - supervision: what is wanted beside enforcement. Where it can't be had, steps run without, and say so.
    ///   - dropsGroups: false where setgroups(2) is denied in namespace A, and so in every one below it.
    ///   - limiter: what steps may take.
    public init(
        policy: SandboxPolicy, uid: IDMap, gid: IDMap, supervision: StepSupervision = .none,
        dropsGroups: Bool = true, limiter: StepLimiter = StepLimiter(.none, family: ownFamily())
    ) throws {
        guard let architecture = Architecture.current, let kernel = KernelVersion.running else {
            throw SandboxError(.host("no system call policy for this machine (\(Host.machine))"))
        }
        self.policy = policy
        idMaps = (uid, gid)
        self.supervision = supervision
        self.limiter = limiter
        self.dropsGroups = dropsGroups
        plain = try policy.program(architecture: architecture, kernel: kernel)
        plainFilter = plain.bytes
        supervised =
            supervision.isWanted
            ? try Supervised(supervision, policy, architecture, kernel, dropsGroups: dropsGroups)
            : nil
        masked = Self.below("/proc/", policy.paths.masked)
        // Of process 1, which is ours: the kernel lets a RUN's root make it the first victim.
        readOnly = Self.below("/proc/", policy.paths.readOnly) + Self.ownSettings
        // /sys is empty or read-only as a whole.
        maskedSys = Self.below("/sys/", policy.paths.masked)
    }

    private static func below(_ directory: String, _ paths: [FilePath]) -> [String] {
        paths.map(\.string).filter { $0.hasPrefix(directory) }.map {
            String($0.dropFirst(directory.count))
        }
    }

    private static let ownSettings = ["1", "1/task/1"].flatMap { process in
        ["oom_adj", "oom_score_adj"].map { "\(process)/\($0)" }
    }

    /// Runs `command` and waits for its end, and for that of every process it left behind.
    ///
    /// Blocks; the calling thread clones the sandbox and must be the one that waits for it. `started` gets a handle to kill it
    /// with from another thread.
    ///
    /// - Parameter attachAt: the path of a directory of this process's own that the rootfs is attached to before the pivot, in the
    ///   sandbox's own namespace.
    /// - Returns: the command's exit status, and what the supervisor has on record.
    /// - Throws: `SandboxError`; a command that fails is not an error here.
    public func run(
        _ command: StepCommand, in rootfs: borrowing Rootfs, identity: UserDatabase.Identity,
        attachAt: [UInt8], output: FileDescriptor, error: FileDescriptor,
        started: (ProcessHandle) -> Void
    ) throws(SandboxError) -> StepResult {
        for id in [identity.uid] where !idMaps.uid.contains(id) { throw unmapped(id) }
        for id in [identity.gid] + identity.groups where !idMaps.gid.contains(id) {
            throw unmapped(id)
        }
        try limiter.check()
        let places = try MountPoints(in: rootfs)
        let ended: (outcome: StepOutcome, result: StepResult)
        do throws(SandboxError) {
            ended = try runInPlaces(
                command, rootfs, identity, places, attachAt: attachAt, output: output, error: error,
                started)
        } catch {
            places.undo(in: rootfs)
            throw error
        }
        places.undo(in: rootfs)
        switch ended.outcome {
        case .ended: return ended.result
        case .killed: throw SandboxError(.killed)
        case .failed(let report): throw describe(report, command)
        }
    }

    private func runInPlaces(
        _ command: StepCommand, _ rootfs: borrowing Rootfs, _ identity: UserDatabase.Identity,
        _ places: borrowing MountPoints, attachAt: [UInt8], output: FileDescriptor,
        error: FileDescriptor, _ started: (ProcessHandle) -> Void
    ) throws(SandboxError) -> (outcome: StepOutcome, result: StepResult) {
        let devices = try DeviceTree(sharedMemoryBytes: limiter.sharedMemory)
        let helper =
            command.network == .private ? try NetworkHelper(among: networkHelpers) : nil
        let files = try NetworkFiles(of: command.network, hostname: command.hostname, helper)
        let empty = try Self.emptyDirectory()
        let extra = try ExtraPlaces(
            command.mounts, workingDirectory: command.workingDirectory, in: rootfs.mount.borrowed,
            covered: [
                ("/dev", devices.mount.borrowed), ("/dev/shm", devices.shmMount.borrowed),
            ])
        defer { extra.undo(in: rootfs.mount.borrowed) }
        var mounts = [
            StepSpecification.Mount(tree: devices.mount.borrowed, target: places.dev.borrowed)
        ]
        mounts += devices.nodes.mounts
        mounts += [
            .init(tree: devices.shmMount.borrowed, target: devices.shm.borrowed),
            .init(tree: files.resolvConf.borrowed, target: places.resolvConf.borrowed),
            .init(tree: files.hosts.borrowed, target: places.hosts.borrowed),
            .init(tree: files.hostname.borrowed, target: places.hostname.borrowed),
        ]
        mounts += extra.mounts
        let environment = completed(command.environment, identity)
        var specification = StepSpecification(
            newNetwork: command.network != .host, root: rootfs.mount.borrowed, attachAt: attachAt,
            mounts: mounts,
            targets: .init(
                proc: places.proc.borrowed, pts: devices.pts.borrowed,
                mqueue: devices.mqueue.borrowed,
                sys: places.sys.borrowed),
            emptyDirectory: empty.borrowed, nullDevice: devices.nodes.nullDevice,
            masked: masked, readOnly: readOnly, hostname: command.hostname,
            output: output, error: error, limits: limiter.resources,
            noNewPrivileges: !Self.allowsSetUserID(identity) && !Defence.noNewPrivileges.isLeftOut,
            landlockScopes: availableLandlockScopes(),
            filter: listening?.filter ?? plainFilter,
            filterWithoutListener: listening == nil ? nil : plainFilter, dropsGroups: dropsGroups,
            capabilities: capabilities(on: command.network).rawValue, uid: identity.uid,
            gid: identity.gid,
            groups: identity.groups, workingDirectory: command.workingDirectory,
            programs: Self.candidates(command.arguments.first ?? [], environment),
            arguments: command.arguments,
            environment: environment)
        specification.maskedSys = maskedSys
        specification.highestProcessID = limiter.highestProcessID
        specification.comesIntoSight = helper != nil
        specification.refusedAddresses = supervision.refusedAddresses
        if supervision.refusesAddresses, listening != nil {
            specification.landlockNetwork = availableLandlockConnections()
        }
        var child = try setup("clone the sandbox") { () throws(Errno) in
            try Child.step(specification)
        }
        started(try setup("watch the sandbox") { () throws(Errno) in try child.handle() })
        try setup { () throws(SystemError) in
            try child.writeIDMaps(uid: idMaps.uid.identity, gid: idMaps.gid.identity)
        }
        // Before the command is let go, and as long as this thread waits for it.
        let network = try Self.network(of: child, by: helper)
        defer { withExtendedLifetime(network) {} }
        let limited = try limiter.begin(
            child, files: rootfs.mount.borrowed,
            inMemory: [devices.shmMount.borrowed]
                + command.mounts.filter(\.isOwnMemory).map(\.tree.borrowed))
        return try complete(&child, limited)
    }

    /// Lets the sandbox begin and waits for its end, inside its limits.
    private func complete(_ child: inout Child, _ limited: LimitedStep) throws(SandboxError)
        -> (outcome: StepOutcome, result: StepResult)
    {
        var ended: (outcome: StepOutcome, result: StepResult)
        do throws(SandboxError) {
            try setup("start the sandbox") { () throws(Errno) in try child.proceed() }
            ended = try listening == nil ? awaitEnd(of: &child) : supervise(&child)
        } catch {
            _ = limited.end(nil)
            throw error
        }
        if let reached = limited.end(ended.outcome) { throw SandboxError(reached) }
        ended.result.reachedLimit = limited.note
        ended.result.proc = child.procView
        return ended
    }

    /// What steps are run with, where a supervisor can be had.
    private var listening: Supervised? { supervised?.obstacle == nil ? supervised : nil }

    private func awaitEnd(of child: inout Child) throws(SandboxError) -> (StepOutcome, StepResult) {
        let outcome = try setup("wait for the sandbox") { () throws(Errno) in
            try child.awaitStep()
        }
        let state: StepResult.Supervision =
            supervised?.obstacle.map { .unavailable(reason: $0) } ?? .notWanted
        return (outcome, StepResult(status: outcome.status, supervision: state))
    }

    /// Set-user-id programs work where the step's user is not root, inside the same bounding set: sudo, as with Docker.
    public static func allowsSetUserID(_ identity: UserDatabase.Identity) -> Bool {
        identity.uid != 0
    }

    private func unmapped(_ id: UInt32) -> SandboxError {
        SandboxError(
            .unmappedID(id),
            hint:
                "the map holds \(idMaps.uid.count) ids; an administrator gives more in /etc/subuid and /etc/subgid"
        )
    }

    /// A read-only directory with nothing in it, to cover others with.
    private static func emptyDirectory() throws(SandboxError) -> OwnedDescriptor {
        try setup { () throws(SystemError) in
            let tmpfs = try FileSystemContext("tmpfs")
            try tmpfs.set("mode", "0555")
            try tmpfs.set("nr_inodes", "1")
            return try tmpfs.mount([.readOnly, .noSetUserID, .noDevices, .noExecution])
        }
    }

    private func describe(_ report: ChildReport, _ command: StepCommand) -> SandboxError {
        if report.isExec {
            let program = printable(command.arguments.first ?? [])
            let hint: String? =
                switch report.errno {
                case .noSuchFileOrDirectory:
                    "the image has no such program, or not its interpreter or loader"
                case .execFormatError:
                    "the program is for another architecture, or a script without an interpreter line"
                default: nil
                }
            return SandboxError(.exec(program: program, report.errno), hint: hint)
        }
        if report.isWorkingDirectory, Self.blamesPath(report.errno) {
            return SandboxError(
                .workingDirectory(printable(command.workingDirectory), report.errno),
                hint: "the last WORKDIR names it, or the base image's config")
        }
        return SandboxError(.setup(SystemError(report.step, report.errno)))
    }
}

extension StepSandbox {
    /// Whether an errno of chdir speaks of the path, and not of the host.
    private static func blamesPath(_ errno: Errno) -> Bool {
        switch errno {
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .fileNameTooLong,
            .permissionDenied:
            true
        default: false
        }
    }
}
