/// Section H of the corpus: system calls.
extension AttackCase {
    /// EPERM says no; ENOSYS says that there is no such call, so that a library takes another.
    private static let refused: Expectation.Rule = ["EPERM", "ENOSYS"]

    public static let calls = AttackCase(
        "K01 K08", "calls that open attack surface, and unknown ones", ["calls"],
        Expectation(["*": refused, "unknown*": ["ENOSYS"]], atLeast: 45))

    /// policies/default.json lets two of them read: they tell of the sandbox's own mounts.
    public static let mounts = AttackCase(
        "K02", "the mount family, old and new", ["mounts"],
        Expectation(
            ["*": refused, "statmount": .anything, "listmount": .anything], atLeast: 14))

    /// 31 is SIGSYS.
    public static let foreign = AttackCase(
        "K03", "the calls of other machines", ["foreign"],
        Expectation(
            ["minus-one": ["ENOSYS"], "x32*": ["ENOSYS"], "i386*": ["signal 31"]],
            atLeast: isIntel ? 22 : 1))

    public static let namespaces = AttackCase(
        "K04 S10", "making and entering namespaces", ["namespaces"],
        Expectation(["*": ["EPERM", "EACCES"], "clone3*": ["ENOSYS"]], atLeast: 36))

    public static let personality = AttackCase(
        "K05", "personalities that weaken a process", ["personality"],
        Expectation([
            "linux": ["ok"], "query": ["ok"], "linux32": ["ok"], "no-randomize": ["ok"],
            "read-implies-exec": ["EPERM"], "mmap-page-zero": ["EPERM"], "bsd": ["EPERM"],
        ]))

    public static let filters = AttackCase(
        "K06", "a wider filter on top of ours", ["filters"],
        Expectation([
            "allow": ["ok"], "log": ["ok"], "tsync": ["ok"], "mode": ["2"],
            "listener": ["ok", "EBUSY", "EPERM"], "mount-after": ["EPERM"],
        ]))

    /// CAP_SETPCAP is in Docker's set: securebits go no further than the capabilities. The last five are what programs need.
    public static let prctl = AttackCase(
        "K07 S18", "taking back rights by prctl, and cores", ["prctl"],
        Expectation([
            "no-new-privs-off": ["EINVAL"], "ambient": ["EPERM"], "securebits": ["ok", "EPERM"],
            "core": ["EPERM"], "no-new-privs": ["ok"], "subreaper": ["ok"], "death-signal": ["ok"],
            "dumpable": ["ok"], "drop": ["ok"],
        ]))

    public static let ioctl = AttackCase(
        "K09", "requests of devices and files", ["ioctl"],
        Expectation([
            "kvm": ["ENOENT"], "tun": ["ENOENT"], "fuse": ["ENOENT"], "immutable": ["EPERM"],
            "sti-high": ["EPERM"], "blkrrpart": ["ENOTTY"], "getflags": .anything,
        ]))

    #if arch(x86_64)
        private static let isIntel = true
    #else
        private static let isIntel = false
    #endif
}
