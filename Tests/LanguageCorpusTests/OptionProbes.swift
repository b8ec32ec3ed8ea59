extension OptionProbe {
    private static let scratch = "FROM scratch\nLABEL a=b\n"
    private static let tagged = [["build", "-q", "-t", "localhost/a:1", "CTX"]]
    private static let images = [["images"]]

    private static func run(_ command: String) -> String { "FROM BASE\nRUN \(command)\n" }

    static let all: [OptionProbe] = build + limits + plans + others + everywhere

    private static let build = [
        OptionProbe(
            "build", "build-context", on: "FROM scratch\nCOPY --from=x f /\n", "--build-context",
            "x=CTX"),
        OptionProbe("build", "f/file", "-f", "CTX/other"),
        OptionProbe("build", "t/tag", "-t", "localhost/a:1", after: images),
        OptionProbe(
            "build", "push", "--push", "-t", "REGISTRY/walk/push:1",
            without: ["-t", "REGISTRY/walk/push:1"]),
        OptionProbe("build", "o/output", "-o", "type=tar,dest=OUT/a.tar"),
        OptionProbe(
            "build", "build-arg", on: "FROM scratch\nARG A\nLABEL a=$A\n", "--build-arg", "A=1"),
        OptionProbe(
            "build", "secret", on: run("--mount=type=secret,id=s,required true"), "--secret",
            "id=s,env=WORD"),
        OptionProbe(
            "build", "ssh", on: run("--mount=type=ssh,required true"), "--ssh", "default=SOCKET"),
        OptionProbe(
            "build", "target", on: "FROM scratch AS a\nFROM scratch\nLABEL a=b\n", "--target", "a"),
        OptionProbe("build", "platform", "--platform", "linux/s390x"),
        OptionProbe("build", "label", "--label", "x=y"),
        OptionProbe("build", "pull", on: "FROM BASE\n", "--pull", "never"),
        OptionProbe(
            "build", "no-cache", on: "FROM scratch\nCOPY f /\n", "--no-cache",
            before: [["build", "-q", "CTX"]]),
        OptionProbe("build", "network", on: run("readlink /proc/self/ns/net"), "--network", "none"),
        OptionProbe(
            "build", "allow", on: run("--security=insecure true"), "--allow", "security.insecure"),
        OptionProbe(
            "plan", "allow", on: run("--security=insecure true"), "--allow", "security.insecure"),
        OptionProbe("build", "isolation", on: run("true"), "--isolation", "none"),
        OptionProbe(
            "build", "snapshotter", on: run("stat -f -c %T /"), "--snapshotter", "copy",
            without: ["--snapshotter", "overlay"]),
        OptionProbe(
            "build", "ids", on: run("wc -l </proc/self/uid_map"), "--ids", "single",
            without: ["--ids", "subordinate"]),
        OptionProbe("build", "require", "--require", "landlock>=1000"),
        OptionProbe(
            "build", "compression", on: "FROM scratch\nCOPY f /\n", "--compression", "zstd"),
        OptionProbe(
            "build", "compression-level",
            on:
                "FROM scratch\nCOPY <<E /t\n\(String(repeating: "many words of text, ", count: 200))\nE\n",
            "--compression-level", "9"),
        OptionProbe("build", "iidfile", "--iidfile", "OUT/id"),
        OptionProbe("build", "metadata-file", "--metadata-file", "OUT/metadata"),
        OptionProbe("build", "jobs", on: meeting, "--jobs", "1", without: ["--jobs", "2"]),
        OptionProbe("build", "progress", "--progress", "rawjson"),
        OptionProbe("build", "q/quiet", "-q"),
        OptionProbe("build", "v/verbose", on: run("true"), "-v"),
    ]

    /// Two stages that wait for each other.
    private static let meeting =
        ["a", "b"].map { name in
            let other = name == "a" ? "b" : "a"
            return "FROM BASE AS \(name)\nRUN --mount=type=cache,target=/c touch /c/\(name); "
                + "for i in $(seq 200); do test -e /c/\(other) && exit 0; sleep 0.1; done; exit 1\n"
        }.joined() + "FROM scratch\nCOPY --from=a /tmp /a\nCOPY --from=b /tmp /b\n"

    private static let limits = [
        OptionProbe(
            "build", "memory",
            on: run("head -c 90000000 /dev/zero | tail -c 80000000 | (sleep 5; wc -c)"),
            "--memory", "24m"),
        // Where there is no delegated cgroup it is refused; else the step is another.
        OptionProbe(
            "build", "cpus", on: run("true"), "--cpus", "1.5", before: [["build", "-q", "CTX"]]),
        OptionProbe(
            "build", "pids", on: run("for i in $(seq 60); do sleep 20 & done"), "--pids", "20"),
        OptionProbe("build", "shm-size", on: run("df -k /dev/shm"), "--shm-size", "1m"),
        OptionProbe("build", "ulimit", on: run("ulimit -n"), "--ulimit", "nofile=77"),
    ]

    private static let plans = [
        OptionProbe("plan", "f/file", "-f", "CTX/other"),
        OptionProbe(
            "plan", "build-context", on: "FROM scratch\nCOPY --from=x f /\n", "--build-context",
            "x=CTX"
        ),
        OptionProbe("plan", "build-arg", on: "ARG B=scratch\nFROM $B\n", "--build-arg", "B=UPPER"),
        OptionProbe(
            "plan", "target", on: "FROM scratch AS a\nFROM scratch\nLABEL a=b\n", "--target", "a"),
        OptionProbe("plan", "platform", "--platform", "linux/s390x"),
        OptionProbe("plan", "pull", on: "FROM BASE\n", "--pull", "never"),
        OptionProbe(
            "plan", "no-cache", on: "FROM scratch\nCOPY f /\n", "--no-cache",
            before: [["build", "-q", "CTX"]]),
        OptionProbe(
            "plan", "network", on: run("true"), "--network", "none",
            before: [["build", "-q", "CTX"]]),
        OptionProbe("plan", "format", "--format", "json"),
        OptionProbe("lint", "f/file", "-f", "CTX/other"),
        OptionProbe("lint", "format", "--format", "json"),
        OptionProbe(
            "lint", "build-arg", on: "# check=error=true\nARG T\nFROM busybox:${T}\n",
            "--build-arg",
            "BUILDKIT_DOCKERFILE_CHECK=skip=all"),
        OptionProbe(
            "lint", "target", on: "FROM scratch AS a\nFROM scratch\nLABEL a=$X\n", "--target", "a"),
        OptionProbe(
            "lint", "platform", on: "FROM --platform=linux/s390x scratch AS a\nFROM a\n",
            "--platform",
            "toaster"),
        OptionProbe(
            "parse", "f/file", common: [], "-f", "CTX/other", without: ["-f", "CTX/Dockerfile"]),
        OptionProbe("parse", "json", common: ["-f", "CTX/other"], "--json"),
    ]

    private static let others = [
        OptionProbe("pull", "platform", common: ["BASE"], "--platform", "linux/s390x"),
        OptionProbe("pull", "progress", common: ["BASE"], "--progress", "rawjson"),
        OptionProbe("pull", "q/quiet", common: ["BASE"], "-q"),
        OptionProbe("pull", "v/verbose", common: ["BASE"], "-v"),
        OptionProbe(
            "push", "progress", common: ["REGISTRY/REPOSITORY/a:1"], "--progress", "rawjson",
            before: pushed),
        OptionProbe("push", "q/quiet", common: ["REGISTRY/REPOSITORY/a:1"], "-q", before: pushed),
        OptionProbe("push", "v/verbose", common: ["REGISTRY/REPOSITORY/a:1"], "-v", before: pushed),
        OptionProbe("images", "q/quiet", "-q", before: tagged),
        OptionProbe(
            "inspect", "platform", common: ["localhost/a:1"], "--platform", "linux/s390x",
            before: tagged),
        OptionProbe(
            "prune", "all", on: "FROM scratch\nCOPY f /\n", "--all",
            before: [["build", "-q", "CTX"]]),
        OptionProbe(
            "prune", "older-than", on: "FROM scratch\nCOPY f /\n", "--older-than", "0s",
            before: [["build", "-q", "CTX"]]),
        OptionProbe(
            "prune", "keep-size", on: "FROM scratch\nCOPY f /\n", "--keep-size", "0",
            before: [["build", "-q", "CTX"]]),
        OptionProbe(
            "prune", "dry-run", on: "FROM scratch\nCOPY f /\n", common: ["--all"], "--dry-run",
            before: [["build", "-q", "CTX"]]),
        // Either is refused before anything is tried, each for its own place.
        OptionProbe(
            "attack", "scratch", common: ["--root", "OUT/none"], "--scratch", "CTX/f/none",
            without: ["--scratch", "/proc/none"]),
        OptionProbe("doctor", "json", "--json"),
        OptionProbe("doctor", "v/verbose", "-v"),
    ]

    private static let pushed = [["build", "-q", "-t", "REGISTRY/REPOSITORY/a:1", "CTX"]]

    /// The commands that open the store, with what else they take.
    private static let storeCommands: [(command: String, common: [String])] = [
        ("build", ["CTX"]), ("plan", ["CTX"]), ("pull", ["BASE"]), ("push", ["localhost/a:1"]),
        ("images", []), ("tag", ["localhost/a:1", "localhost/b:1"]), ("rm", ["localhost/a:1"]),
        ("inspect", ["localhost/a:1"]), ("prune", []), ("store check", []),
    ]

    private static let unknown = "example.invalid:1"

    /// Options that many commands share: where the store is, and how registries are spoken to.
    private static let everywhere: [OptionProbe] =
        storeCommands.flatMap { command, common in
            [
                OptionProbe(command, "root", common: common, "--root", "OUT/none", before: tagged),
                OptionProbe(
                    command, "scratch", common: common, "--scratch", "OUT/none", before: tagged),
            ]
        }
        + [
            OptionProbe("doctor", "root", common: ["--json"], "--root", "OUT/none"),
            OptionProbe("doctor", "scratch", common: ["--json"], "--scratch", "OUT/none"),
            OptionProbe(
                "lint", "root", on: "FROM scratch\nENV A=1\n", common: ["-f", "CTX/child", "CTX"],
                "--root", "OUT/none", before: tagged),
        ]
        + ["build", "plan"].map { command in
            OptionProbe(
                command, "plain-http", on: "FROM \(unknown)/x:1\n", "--plain-http", unknown)
        }
        + [
            OptionProbe("pull", "plain-http", common: ["\(unknown)/x:1"], "--plain-http", unknown),
            OptionProbe(
                "push", "plain-http", common: ["\(unknown)/x:1"], "--plain-http", unknown,
                before: [["build", "-q", "-t", "\(unknown)/x:1", "CTX"]]),
            OptionProbe(
                "login", "plain-http", common: [unknown, "-u", "me", "--password-stdin"],
                "--plain-http", unknown),
            OptionProbe(
                "login", "u/username", common: ["REGISTRY", "--password-stdin"], "-u", "me"),
            OptionProbe(
                "login", "password-stdin", common: ["REGISTRY", "-u", "me"], "--password-stdin"),
        ]
}
