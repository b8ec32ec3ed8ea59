import Linux

/// Section G of the corpus: what a step could reach of its surroundings.
extension AttackCase {
    /// What nothing can be done with.
    static let out: Set = ["EPERM", "EACCES", "ESRCH", "EROFS", "ENOENT"]
    private static let outOfReach = Expectation.Rule.among(out)
    private static let none = "0000000000000000"
    /// Docker's fourteen.
    private static let bounding = "00000000a80425fb"

    /// CVE-2019-5736.
    public static let program = AttackCase(
        "S01", "writing to the builder's program", ["exe"],
        Expectation(["own*": ["ETXTBSY"], "init*": outOfReach], atLeast: 3))

    public static let output = AttackCase(
        "S02", "its outputs as files or terminals", ["output"],
        Expectation([
            "kind-1": ["pipe"], "kind-2": ["pipe"], "terminal-1": ["0"], "terminal-2": ["0"],
            "truncate-1": ["EINVAL"], "truncate-2": ["EINVAL"], "seek-1": ["ESPIPE"],
            "seek-2": ["ESPIPE"], "link-1": ["pipe"], "link-2": ["pipe"],
        ]))

    /// CVE-2024-21626 came in by a descriptor that was left open.
    public static let descriptors = AttackCase(
        "S02", "descriptors of the builder", ["descriptors"],
        Expectation([
            "descriptor-0": ["open"], "descriptor-1": ["open"], "descriptor-2": ["open"],
        ]))

    /// Without Landlock's scopes process 1 may be sent signals, and the kernel drops them.
    public static var initProcess: AttackCase {
        let signal = Expectation.Rule.among(
            availableLandlockScopes() == 0 ? out.union(["ok"]) : out)
        return AttackCase(
            "S07", "process 1: signals, limits, tracing, memory", ["init"],
            Expectation(["*": outOfReach, "stop": signal, "kill": signal], atLeast: 16))
    }

    public static let coveredPaths = [
        "/", "/proc", "/proc/kcore", "/proc/sys", "/proc/keys", "/proc/sysrq-trigger", "/sys",
        "/dev", "/dev/null", "/etc/resolv.conf",
    ]

    public static let covers = AttackCase(
        "S08", "taking covers off", ["masks"] + coveredPaths,
        Expectation(["*": ["EPERM"]], atLeast: 4 * coveredPaths.count))

    /// - Parameter isRoot: of the sandbox.
    public static func identity(isRoot: Bool) -> AttackCase {
        let rights: Expectation.Rule = [isRoot ? bounding : none]
        var result = AttackCase(
            "S11 S12", "rights to grow with, and groups", ["identity"],
            Expectation(
                [
                    "CapInh": [none], "CapAmb": [none], "CapBnd": [bounding], "CapPrm": rights,
                    "CapEff": rights, "NoNewPrivs": [isRoot ? "1" : "0"], "Seccomp": ["2"],
                    "groups": ["0"],
                ],
                known: ["groups": "with a single id nobody can drop the user's groups"]))
        if !isRoot { result = result.byOtherUser() }
        return result
    }

    /// PATH and HOME are what every step has; the third is how the attacker finds its libraries.
    public static let environment = AttackCase(
        "S13", "the user's environment", ["environment"],
        Expectation(
            [
                "own-PATH": ["set"], "own-HOME": ["set"], "own-LD_LIBRARY_PATH": ["set"],
                "init": outOfReach,
            ]))

    /// CVE-2017-5226, CVE-2023-28100.
    public static let terminal = AttackCase(
        "S14", "typing into a terminal", ["terminal"],
        Expectation(
            [
                "*": ["EPERM", "ENOTTY", "ENXIO"], "TIOCSTI*": ["EPERM"], "TIOCLINUX*": ["EPERM"],
            ], atLeast: 25))

    public static let hiddenPaths = [
        "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/acpi",
        "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap", "/sys/dev",
        "/sys/fs/selinux",
    ]

    /// What covers a file is the null device, which takes what is written.
    public static let hidden = AttackCase(
        "S16", "files of /proc and /sys that tell of the host", ["open"] + hiddenPaths,
        Expectation(
            ["read:*": ["ENOENT", "EACCES", "EPERM", "empty"], "write:*": .anything],
            atLeast: 2 * hiddenPaths.count))

    public static let settingPaths = [
        "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
        "/proc/sys/vm/overcommit_memory", "/proc/irq/default_smp_affinity",
        "/proc/sys/fs/protected_symlinks", "/proc/sys/user/max_user_namespaces",
        "/proc/sys/fs/binfmt_misc/register", "/proc/self/uid_map", "/proc/self/setgroups",
        "/proc/self/projid_map", "/sys/kernel/uevent_helper", "/sys/power/state",
        "/sys/fs/cgroup/cgroup.procs",
    ]

    /// A map that is written already can be opened, but takes no second one.
    public static let settings = AttackCase(
        "S16", "settings of the kernel", ["open"] + settingPaths,
        Expectation(
            [
                "read:*": .anything, "write:*": outOfReach,
                "write:/proc/self/*": .among(out.union(["ok"])),
            ], atLeast: 2 * settingPaths.count))

    public static let devices = AttackCase(
        "S17", "making devices", ["devices", "/tmp"],
        Expectation(["null": ["EPERM"], "mem": ["EPERM"], "disk": ["EPERM"], "fuse": ["EPERM"]]))

    public static let exhaust = AttackCase(
        "L03", "descriptors without end", ["exhaust"],
        Expectation(["eventfds": ["limited"], "then": ["EMFILE"]]))
}
