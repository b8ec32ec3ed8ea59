/// A limit for which a RUN was ended.
public enum ReachedLimit: Sendable, Equatable, CustomStringConvertible {
    /// `held` is nil where the kernel saw it.
    case memory(held: UInt64?, limit: UInt64, isDefault: Bool)
    /// It stood at the limit for too long.
    case processes(limit: Int, isDefault: Bool)
    /// The file system that it writes to has less than this free.
    case disk(reserve: UInt64)

    public var description: String {
        switch self {
        case .memory(let held, let limit, let isDefault):
            let words = "ended at its memory limit of \(Self.amount(limit))"
            return words + Self.source(isDefault, "--memory")
                + (held.map { ": it held \(Self.amount($0))" } ?? "")
        case .processes(let limit, let isDefault):
            return "ended at its limit of \(limit) processes" + Self.source(isDefault, "--pids")
                + ": it stood there for \(Int(LimitDefaults.secondsAtProcessLimit)) s"
        case .disk(let reserve):
            return
                "ended because the store's file system has less than \(Self.amount(reserve)) free"
        }
    }

    /// What to do about it.
    public var hint: String {
        switch self {
        case .memory(_, _, true):
            "the default leaves some of the machine's memory to others; --memory SIZE sets another"
        case .memory: "a RUN that needs more is given it by --memory"
        case .processes: "a RUN that needs more is given them by --pids"
        case .disk: "make room there, or put unpacked trees elsewhere with --scratch"
        }
    }

    private static func source(_ isDefault: Bool, _ option: String) -> String {
        isDefault ? "" : " (\(option))"
    }

    /// `256 MiB`, rounded down.
    static func amount(_ bytes: UInt64) -> String {
        bytes >= 10 << 30
            ? "\(bytes >> 30) GiB" : bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
    }
}
