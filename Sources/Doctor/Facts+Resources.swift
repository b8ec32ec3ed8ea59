import Glibc
import Linux

extension FactCatalog {
    static let resourceFacts: [FactDefinition] = [
        FactDefinition("cgroup.version", .resources, "limits need version 2") { place in
            if place.exists("/sys/fs/cgroup/cgroup.controllers") { return .good("2") }
            if place.exists("/sys/fs/cgroup/memory") || place.exists("/sys/fs/cgroup/unified") {
                return .degraded(
                    "1", "rlimits stand in",
                    remedy: "an administrator boots with systemd.unified_cgroup_hierarchy=1")
            }
            return .missing("0", "no cgroup file system at /sys/fs/cgroup; rlimits stand in")
        },
        FactDefinition(
            "cgroup.delegated", .resources, "controllers that a build may use", delegated),
        FactDefinition("rlimit.nofile", .resources, "open files; many layers take many") { _ in
            rlimit(OwnLimits.openFiles.hard, least: 1024, "ulimit -Hn 65536")
        },
        FactDefinition("rlimit.nproc", .resources, "processes of this user in all") { _ in
            rlimit(OwnLimits.processes.hard, least: 256, "ulimit -Hu 4096")
        },
        FactDefinition("pids.max", .resources, "processes of the container or session") { place in
            guard let own = ownCgroup(place), let limit = place.line(of: own + "/pids.max") else {
                return .good("none")
            }
            guard let number = Int(limit) else { return .good(limit) }
            if number >= 128 { return .good("\(number)") }
            return .degraded("\(number)", "few", remedy: "allow this container 1024 processes")
        },
        FactDefinition("memory", .resources, "free for builds; under 512 MiB is tight", memory),
        FactDefinition("cpus", .resources, "stages and blocks done at the same time") { place in
            let quota = place.line(of: "/sys/fs/cgroup/cpu.max")
            let detail = quota.flatMap { $0.hasPrefix("max") ? nil : "cpu.max is \($0)" }
            return .good("\(Host.processorCount)", detail)
        },
    ]

    private static func rlimit(_ value: UInt64?, least: UInt64, _ words: String) -> Finding {
        guard let value else { return .good("unlimited") }
        if value >= least { return .good("\(value)") }
        return .degraded("\(value)", "less than \(least)", remedy: "raise it: \(words)")
    }

    /// The directory of our own cgroup, if version 2 is mounted.
    private static func ownCgroup(_ place: Place) -> String? {
        guard place.exists("/sys/fs/cgroup/cgroup.controllers"),
            let text = try? place.text(of: "/proc/self/cgroup"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        let path = line.dropFirst(3)
        return "/sys/fs/cgroup" + (path == "/" ? "" : path)
    }

    private static func delegated(_ place: Place) -> Finding {
        let remedy =
            "start the build with systemd-run --user --scope -p Delegate=yes lichen build …"
        guard let own = ownCgroup(place) else {
            return .missing("none", "no cgroup of version 2; rlimits stand in")
        }
        if access(own, W_OK) != 0 || access(own + "/cgroup.procs", W_OK) != 0 {
            return .missing("none", "our cgroup is not ours to divide", remedy: remedy)
        }
        let controllers = (place.line(of: own + "/cgroup.controllers") ?? "").split(separator: " ")
        let wanted = ["cpu", "memory", "pids"]
        let lacking = wanted.filter { name in !controllers.contains { $0 == name } }
        let value = controllers.isEmpty ? "none" : controllers.joined(separator: " ")
        if lacking.isEmpty { return .good(value) }
        return .degraded(
            value, "without " + lacking.joined(separator: ", "),
            remedy: "an administrator sets Delegate=cpu memory pids for user@.service")
    }

    private static func memory(_ place: Place) -> Finding {
        guard let text = try? place.text(of: "/proc/meminfo"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            var kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return .unknown("/proc/meminfo has no MemAvailable") }
        if let own = ownCgroup(place), let limit = place.number(in: own + "/memory.max") {
            let used = place.number(in: own + "/memory.current") ?? 0
            kibibytes = min(kibibytes, max(0, limit - used) >> 10)
        }
        let mebibytes = kibibytes >> 10
        if mebibytes >= 512 { return .good("\(mebibytes)", "MiB") }
        return .degraded("\(mebibytes)", "MiB", remedy: "free some memory, or raise the limit")
    }
}
