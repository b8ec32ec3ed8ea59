/// What a RUN may take where nobody asked for more or less; docs/limits.md has the reasons.
public enum LimitDefaults {
    /// Processes and threads of one RUN, and never more than half of what our own user may have.
    static let processes = 4096
    /// The size of /dev/shm, as Docker has it.
    static let sharedMemory: UInt64 = 64 << 20
    /// Soft and hard limit of open files, as Docker has them.
    static let openFiles: (soft: UInt64, hard: UInt64) = (1024, 1 << 20)
    /// Of the machine's memory, or of our own cgroup's limit: what is not for a RUN, as a part and in bytes, whichever is more;
    /// never more than half.
    static let memoryReserve: (part: UInt64, bytes: UInt64) = (10, 256 << 20)
    /// What stays free on the file system that a RUN writes to, as a part and in bytes, whichever is less.
    static let diskReserve: (part: UInt64, bytes: UInt64) = (50, 256 << 20)
    /// By how much the kernel's out-of-memory killer prefers a RUN's processes; 1000 is all of the machine's memory.
    static let outOfMemoryScore = 500
    /// How long a RUN may stand at its limit of processes: a fork bomb does, and no compiler.
    static let secondsAtProcessLimit = 10.0
    /// So near to the limit is at the limit.
    static let processLimitSlack = 50
    /// How often a RUN's memory, processes and disk are looked at.
    static let secondsBetweenLooks = 0.05

    /// The default of `--memory` where `total` bytes are to be had.
    static func memory(of total: UInt64) -> UInt64 {
        let reserve = max(total / memoryReserve.part, memoryReserve.bytes)
        return total - min(reserve, total / 2)
    }

    static func diskReserve(of size: UInt64) -> UInt64 {
        min(size / diskReserve.part, diskReserve.bytes)
    }
}
