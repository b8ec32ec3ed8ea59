import Glibc

/// A resource of getrlimit(2) that a process can be limited in, by the name that `ulimit` options give it.
///
/// `rss` and `locks` are not among them: Linux has the numbers and heeds neither.
public enum ResourceKind: String, Sendable, Codable, CaseIterable {
    case core, cpu, data, fsize, memlock, msgqueue, nice, nofile, nproc, rtprio, rttime
    case sigpending, stack
    case addressSpace = "as"

    /// The kernel's number.
    public var number: Int32 {
        let resource =
            switch self {
            case .core: RLIMIT_CORE
            case .cpu: RLIMIT_CPU
            case .data: RLIMIT_DATA
            case .fsize: RLIMIT_FSIZE
            case .memlock: __RLIMIT_MEMLOCK
            case .msgqueue: __RLIMIT_MSGQUEUE
            case .nice: __RLIMIT_NICE
            case .nofile: RLIMIT_NOFILE
            case .nproc: __RLIMIT_NPROC
            case .rtprio: __RLIMIT_RTPRIO
            case .rttime: __RLIMIT_RTTIME
            case .sigpending: __RLIMIT_SIGPENDING
            case .stack: RLIMIT_STACK
            case .addressSpace: RLIMIT_AS
            }
        return Int32(resource.rawValue)
    }

    /// Our own hard limit: no child can have more. `UInt64.max` is none.
    public var hardLimit: UInt64 {
        var limit = rlimit()
        // It fails only for a number that the kernel does not know.
        return getrlimit(number, &limit) == 0 ? UInt64(limit.rlim_max) : 0
    }
}
