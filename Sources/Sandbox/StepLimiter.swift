public import Linux
import SystemPackage

/// Holds the steps of a build to their limits: by cgroup v2 where one is delegated, else by rlimits and a watch.
public struct StepLimiter: Sendable {
    let limits: StepLimits
    private let cgroups: CgroupTree?
    private let obstacle: String?
    private let maker: Int32
    private let memory: UInt64?
    private let processes: Int

    /// - Parameters:
    ///   - family: this process and the one that started it: they may have to leave a cgroup that steps are made in.
    public init(_ limits: StepLimits, family: [Int32]) {
        self.limits = limits
        maker = family.first ?? 0
        // Before the tree is made: in it, our own place is one down.
        let total = [Host.memoryBytes, CgroupTree.memoryLimit()].compactMap { $0 }.min()
        memory = limits.memory ?? total.map(LimitDefaults.memory(of:))
        let ours = ResourceKind.nproc.hardLimit
        processes =
            limits.processes ?? Int(min(UInt64(LimitDefaults.processes), max(1, ours / 2)))
        do throws(CgroupTree.Missing) {
            cgroups = try CgroupTree.delegated(to: family)
            obstacle = nil
        } catch {
            cgroups = nil
            obstacle = error.reason
        }
    }

    /// By what limits hold here, for who has asked for some.
    public var notice: String? {
        if limits == .none { return nil }
        guard let obstacle else { return "limits of a RUN hold by cgroup v2" }
        return
            "limits of a RUN hold by rlimits and by looking at its memory 20 times a second (\(obstacle))"
    }

    /// Refuses what can't be had here.
    func check() throws(SandboxError) {
        if limits.processorShare != nil, cgroups?.controllers.contains("cpu") != true {
            throw SandboxError(
                .host("--cpus can't be had: \(obstacle ?? "the cpu controller is not delegated")"),
                hint: "under systemd: systemd-run --user --scope -p Delegate=yes lichen build …")
        }
        if limits.processes != nil, !countsByNamespace {
            throw SandboxError(
                .host(
                    "--pids can't be had: \(obstacle ?? ""), and before Linux 5.14 rlimits count "
                        + "the processes of the whole session"))
        }
        for limit in limits.resources {
            let most = limit.kind.hardLimit
            if limit.hard <= most { continue }
            throw SandboxError(
                .host(
                    "--ulimit \(limit.kind.rawValue) is above this user's own hard limit, "
                        + (most == .max ? "unlimited" : "\(most)")),
                hint: "an administrator raises it in /etc/security/limits.conf")
        }
    }

    var sharedMemory: UInt64 { limits.sharedMemory ?? LimitDefaults.sharedMemory }

    /// RLIMIT_NPROC counts the processes of one user in one namespace since Linux 5.14; before, those of the whole session.
    private var countsByNamespace: Bool { cgroups != nil || Host.kernelVersion >= (5, 14) }

    /// What the command's process limits itself in.
    var resources: [StepSpecification.Limit] {
        var table: [ResourceKind: (soft: UInt64, hard: UInt64)] = [.core: (0, 0)]
        let files = min(LimitDefaults.openFiles.hard, ResourceKind.nofile.hardLimit)
        table[.nofile] = (min(LimitDefaults.openFiles.soft, files), files)
        if cgroups == nil, countsByNamespace {
            // And one for process 1, which is ours.
            let count = min(UInt64(processes) + 1, ResourceKind.nproc.hardLimit)
            table[.nproc] = (count, count)
        }
        for limit in limits.resources { table[limit.kind] = (limit.soft, limit.hard) }
        return table.map {
            .init(resource: $0.key.number, soft: $0.value.soft, hard: $0.value.hard)
        }
        .sorted { $0.resource < $1.resource }
    }

    /// The end of the PID namespace's numbers, which bounds all its users together; 0 where the kernel has none for each
    /// namespace. The first 300 numbers are not given again once they have been used up.
    var highestProcessID: UInt32 {
        let number = processes + 1 + 300 + 1
        return Host.kernelVersion >= (6, 14) && number < 1 << 22 ? UInt32(number) : 0
    }

    /// Puts limits around a step that waits for its id maps.
    ///
    /// - Parameters:
    ///   - files: on the file system that it writes to.
    ///   - inMemory: file systems in memory that it alone has.
    func begin(_ child: borrowing Child, files: FileDescriptor, inMemory: [FileDescriptor])
        throws(SandboxError) -> LimitedStep
    {
        child.preferAsVictim(by: LimitDefaults.outOfMemoryScore)
        let cgroup = try cgroups.map { tree throws(SandboxError) in
            try tree.makeCgroup(settings, for: child.pid, by: maker)
        }
        let isDefault = (memory: limits.memory == nil, processes: limits.processes == nil)
        let bounds = StepWatch.Bounds(
            memory: cgroup == nil ? memory.map { ($0, isDefault.memory) } : nil,
            processes: countsByNamespace ? (processes, isDefault.processes) : nil)
        let watch = try setup("watch the sandbox") { () throws(Errno) in
            var memoryFiles: [SharedDescriptor] = []
            for tree in inMemory { memoryFiles.append(try tree.shared()) }
            let watch = StepWatch(
                bounds, pid: child.pid, handle: try child.handle(), disk: try files.shared(),
                memoryFiles: memoryFiles)
            try watch.start()
            return watch
        }
        return LimitedStep(
            watch: watch, cgroup: cgroup, processes: processes,
            memory: memory.map { ($0, isDefault.memory) })
    }

    private var settings: [CgroupTree.Setting] {
        var settings = [CgroupTree.Setting("pids.max", "\(processes + 1)")]
        if let memory {
            settings += [.init("memory.max", "\(memory)"), .init("memory.oom.group", "1")]
            // A limit that was asked for means memory, not memory and as much swap.
            if limits.memory != nil {
                settings.append(.init("memory.swap.max", "0", isOptional: true))
            }
        }
        if let share = limits.processorShare {
            settings.append(.init("cpu.max", CgroupFacts.processorQuota(thousandths: share)))
        }
        return settings
    }
}

/// A step inside its limits.
struct LimitedStep {
    let watch: StepWatch
    let cgroup: StepCgroup?
    let processes: Int
    let memory: (bytes: UInt64, isDefault: Bool)?

    /// After the step's end: the limit for which it was ended, if it was.
    func end(_ outcome: StepOutcome?) -> ReachedLimit? {
        let reached = watch.stop()
        guard case .killed? = outcome else { return nil }
        if let reached { return reached }
        guard let cgroup, cgroup.memoryKills > 0, let memory else { return nil }
        return .memory(held: nil, limit: memory.bytes, isDefault: memory.isDefault)
    }

    /// What a command that failed may have failed for, in words.
    var note: String? {
        if let cgroup, cgroup.memoryKills > 0 { return "reached its memory limit" }
        let isRefused = cgroup.map { $0.refusedProcesses > 0 } ?? (watch.peakTasks >= processes)
        return isRefused ? "reached its limit of \(processes) processes" : nil
    }
}
