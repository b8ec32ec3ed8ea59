import Linux
import Synchronization
import SystemPackage

/// Looks at a running step again and again, and ends it when it takes too much.
///
/// For what no limit of the kernel's counts here: the memory of all processes together without a cgroup, how long a fork bomb has
/// stood at its limit, and the disk. What is written between two looks can go past the limit.
final class StepWatch: Sendable {
    /// What is watched for.
    struct Bounds: Sendable {
        /// Nil where a cgroup holds it.
        var memory: (bytes: UInt64, isDefault: Bool)?
        var processes: (count: Int, isDefault: Bool)?
    }

    private let bounds: Bounds
    private let pid: Int32
    private let handle: ProcessHandle
    private let disk: SharedDescriptor
    private let memoryFiles: [SharedDescriptor]
    private let thread = WatchingThread()
    private let reached = Mutex<ReachedLimit?>(nil)
    private let mostTasks = Atomic(0)

    /// - Parameters:
    ///   - disk: on the file system that the step writes to.
    ///   - memoryFiles: on file systems in memory that the step alone has.
    init(
        _ bounds: Bounds, pid: Int32, handle: ProcessHandle, disk: SharedDescriptor,
        memoryFiles: [SharedDescriptor]
    ) {
        self.bounds = bounds
        self.pid = pid
        self.handle = handle
        self.disk = disk
        self.memoryFiles = memoryFiles
    }

    func start() throws(Errno) { try thread.start { self.watch() } }

    /// Ends the watch, which then holds nothing of the step's any more. The limit for which the step was ended, if it was.
    func stop() -> ReachedLimit? {
        thread.stop()
        return reached.withLock { $0 }
    }

    /// The most processes and threads that were seen at once.
    var peakTasks: Int { mostTasks.load(ordering: .relaxed) }

    private func watch() {
        let reserve = diskReserve()
        var secondsAtLimit = 0.0
        // Tried again until the sandbox stands.
        repeat {
            if let processes = StepProcesses(of: pid) {
                return watch(processes, reserve, &secondsAtLimit)
            }
        } while thread.sleep(seconds: LimitDefaults.secondsBetweenLooks / 10)
    }

    private func watch(
        _ processes: borrowing StepProcesses, _ reserve: UInt64?, _ secondsAtLimit: inout Double
    ) {
        repeat {
            guard let usage = processes.usage() else { return }
            if usage.tasks > peakTasks { mostTasks.store(usage.tasks, ordering: .relaxed) }
            secondsAtLimit =
                isAtLimit(usage) ? secondsAtLimit + LimitDefaults.secondsBetweenLooks : 0
            let found =
                memoryProblem(usage, processes) ?? diskProblem(reserve)
                ?? processProblem(secondsAtLimit)
            if let found {
                // On record before the end can be seen.
                reached.withLock { $0 = found }
                return handle.kill()
            }
        } while thread.sleep(seconds: LimitDefaults.secondsBetweenLooks)
    }

    private func memoryProblem(
        _ usage: StepProcesses.Usage, _ processes: borrowing StepProcesses
    ) -> ReachedLimit? {
        guard let limit = bounds.memory else { return nil }
        let files = memoryFiles.reduce(0) {
            $0 + ((try? FileSystemSpace(of: $1.borrowed))?.used ?? 0)
        }
        // The cheap sum is never too small; the exact one is asked for when it matters.
        if usage.residentBytes + files <= limit.bytes { return nil }
        let held = processes.ownedBytes() + files
        return held > limit.bytes
            ? .memory(held: held, limit: limit.bytes, isDefault: limit.isDefault) : nil
    }

    private func isAtLimit(_ usage: StepProcesses.Usage) -> Bool {
        guard let limit = bounds.processes else { return false }
        return usage.tasks >= limit.count - limit.count / LimitDefaults.processLimitSlack
    }

    private func processProblem(_ secondsAtLimit: Double) -> ReachedLimit? {
        guard let limit = bounds.processes, secondsAtLimit >= LimitDefaults.secondsAtProcessLimit
        else { return nil }
        return .processes(limit: limit.count, isDefault: limit.isDefault)
    }

    /// Nil where the disk has less than that already: then its end is for the kernel to tell.
    private func diskReserve() -> UInt64? {
        guard let space = try? FileSystemSpace(of: disk.borrowed) else { return nil }
        let reserve = LimitDefaults.diskReserve(of: space.size)
        return space.free > reserve ? reserve : nil
    }

    private func diskProblem(_ reserve: UInt64?) -> ReachedLimit? {
        guard let reserve, let space = try? FileSystemSpace(of: disk.borrowed),
            space.free < reserve
        else { return nil }
        return .disk(reserve: reserve)
    }
}
