/// What the facts come to: the way in which a RUN is confined here, and the change that would help most.
public struct Verdict: Equatable, Sendable {
    public enum Mode: String, Sendable {
        /// User namespaces, with this user's subordinate ids mapped.
        case subordinate = "userns with subordinate ids"
        /// User namespaces, with this user's own id alone; owners of an image's files are kept on record.
        case single = "userns with a single id"
        /// Instructions without RUN still work.
        case none = "not possible yet"
    }

    public var mode: Mode
    /// Names of facts without which there is no RUN, and are not good here.
    public var missing: [String]
    /// What is weaker than the default: fact and consequence.
    public var lacks: [Lack]
    /// The fact to change first, and how; nil where nothing is to be improved.
    public var advice: Advice?

    public struct Lack: Equatable, Sendable {
        public var fact: String
        public var consequence: String
    }

    public struct Advice: Equatable, Sendable {
        public var fact: String
        public var change: String
    }

    public var allowsRun: Bool { mode != .none }

    /// Without any of these, a RUN can't be started.
    static let needed = [
        "userns", "userns.depth", "mntns", "pidns", "ipcns", "utsns", "cgroupns", "clone3",
        "unshare",
        "close_range", "mount.api", "tmpfs", "devpts", "mqueue",
        "seccomp", "store.owner", "store.mode", "scratch",
    ]

    /// What else would make namespaces fail, most likely first: their cause, where they do.
    static let causes = [
        "sysctl.unprivileged_userns_clone", "max_user_namespaces", "apparmor.userns",
    ]

    /// With less than these, a build goes on, and is weaker or slower; most important first.
    static let wanted: [(fact: String, consequence: String)] = [
        ("idmap.range", "one id only: an image's owners are kept on record"),
        (
            "proc.fresh",
            "a RUN sees the /proc around it: names and command lines of other processes"
        ),
        ("landlock.scopes", "abstract sockets and signals of the host are in reach"),
        ("landlock.files", "the unpacker has one wall less"),
        ("metadata", "RUNs can reach cloud metadata services"),
        ("openat2", "foreign paths are walked step by step: slower"),
        ("overlay.store", "each RUN works on a copy of its files: slower"),
        ("seccomp.listener", "denied calls are not explained, owners not emulated"),
        ("supervisor", "denied calls are not explained, owners not emulated"),
        ("netns", "there is no --network none"),
        ("cgroup.delegated", "limits of a RUN are rlimits, not cgroups"),
        ("seccomp.wait_killable", "a signal may undo a supervisor's answer"),
        ("disk.free", "the disk may be full soon"),
        ("memory", "large compilations may not fit"),
        ("capabilities", "a fault of ours would have this process's rights"),
    ]

    /// - Parameter facts: all of them; one that is not there counts as unknown.
    public init(_ facts: [Fact]) {
        let byName = Dictionary(
            facts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        func isGood(_ name: String) -> Bool { byName[name]?.state == .good }

        missing = Self.needed.filter { !isGood($0) }
        if !missing.isEmpty {
            mode = .none
        } else {
            mode = isGood("idmap.range") ? .subordinate : .single
        }
        lacks = Self.wanted.filter { !isGood($0.fact) }
            .map { Lack(fact: $0.fact, consequence: $0.consequence) }

        let namespaceFails = missing.contains { ["userns", "userns.depth", "mntns"].contains($0) }
        let causes = namespaceFails ? Self.causes.filter { !isGood($0) } : []
        // The first with something to do about it: others mend themselves with it, or are next time's.
        let candidates = missing.isEmpty ? lacks.map(\.fact) : causes + missing
        advice =
            candidates.lazy
            .compactMap { name in byName[name]?.remedy.map { Advice(fact: name, change: $0) } }
            .first ?? missing.first.map { Self.findOut($0, byName[$0]) }
    }

    /// Nothing that is needed was refused with a known remedy: a probe did not get through.
    private static func findOut(_ name: String, _ fact: Fact?) -> Advice {
        let reason = fact?.detail.map { ": \($0)" } ?? ""
        return Advice(fact: name, change: "find out what stopped the probe of \(name)\(reason)")
    }
}
