import TestSupport
import Testing

@testable import Doctor

/// A host where calls fail, and what is to be said of it.
struct SimulatedHost: CustomTestStringConvertible {
    var testDescription: String
    /// Rules of Fixtures/deny.c.
    var rules: String
    /// Facts that are not good, with their state.
    var facts: [String: Fact.State]
    var mode: Verdict.Mode
    /// The fact that the advice is about.
    var advice: String

    /// Under a filter, an ordinary user has no_new_privs, and newuidmap does nothing.
    static let all = [
        SimulatedHost(
            testDescription: "newuidmap gains nothing", rules: "acct",
            facts: ["idmap.range": .missing, "no_new_privs": .degraded], mode: .single,
            advice: "idmap.range"),
        SimulatedHost(
            testDescription: "a container as Docker's",
            rules: "clone3=ENOSYS,unshare,clone&0x7e020000,mount,keyctl",
            facts: ["userns": .missing, "mntns": .missing, "pidns": .missing, "clone3": .missing],
            mode: .none, advice: "userns"),
        SimulatedHost(
            testDescription: "no room for another namespace",
            rules: "unshare=ENOSPC,clone3=ENOSPC",
            facts: ["userns": .missing, "userns.depth": .missing], mode: .none, advice: "userns"),
        SimulatedHost(
            testDescription: "unshare alone", rules: "unshare", facts: ["unshare": .missing],
            mode: .none, advice: "unshare"),
        SimulatedHost(
            testDescription: "no clone3", rules: "clone3=ENOSYS", facts: ["clone3": .missing],
            mode: .none, advice: "clone3"),
        SimulatedHost(
            testDescription: "no mounts at all", rules: "mount,fsopen,move_mount,open_tree",
            facts: ["mntns": .missing, "proc.fresh": .missing, "mount.api": .missing],
            mode: .none, advice: "mntns"),
        SimulatedHost(
            testDescription: "no mounts by descriptor", rules: "fsopen=ENOSYS",
            facts: ["mount.api": .missing, "overlay.userns": .missing, "overlay.store": .degraded],
            mode: .none, advice: "mount.api"),
        SimulatedHost(
            testDescription: "no Landlock", rules: "landlock_*=EOPNOTSUPP",
            facts: [
                "landlock": .missing, "landlock.files": .missing, "landlock.scopes": .missing,
                "landlock.network": .missing, "metadata": .degraded,
            ], mode: .single, advice: "idmap.range"),
        SimulatedHost(
            testDescription: "a Landlock that can't be entered", rules: "landlock_restrict_self",
            facts: ["landlock.files": .missing, "landlock.scopes": .missing], mode: .single,
            advice: "idmap.range"),
        SimulatedHost(
            testDescription: "no filters", rules: "seccomp=EINVAL", facts: ["seccomp": .missing],
            mode: .none, advice: "seccomp"),
        SimulatedHost(
            testDescription: "no listeners", rules: "seccomp@1&8=EBUSY",
            facts: [
                "seccomp.listener": .missing, "seccomp.wait_killable": .missing,
                "metadata": .missing,
            ],
            mode: .single, advice: "idmap.range"),
        SimulatedHost(
            testDescription: "no openat2", rules: "openat2=ENOSYS", facts: ["openat2": .missing],
            mode: .single, advice: "idmap.range"),
        SimulatedHost(
            testDescription: "no pidfd_getfd", rules: "pidfd_getfd",
            facts: ["pidfd_getfd": .missing, "supervisor": .missing], mode: .single,
            advice: "idmap.range"),
        SimulatedHost(
            testDescription: "a probe is killed", rules: "fsopen=KILL",
            facts: ["mount.api": .unknown, "overlay.userns": .unknown], mode: .none,
            advice: "mount.api"),
        SimulatedHost(
            testDescription: "a probe hangs", rules: "pidfd_getfd=HANG",
            facts: ["pidfd_getfd": .unknown, "supervisor": .unknown], mode: .single,
            advice: "idmap.range"),
        SimulatedHost(
            testDescription: "no process can be made", rules: "clone=EAGAIN",
            facts: ["userns": .unknown, "landlock": .unknown], mode: .none, advice: "userns"),
    ]
}

@Suite(.enabled(if: TestHost.allowsSandboxes))
struct `On a simulated host` {
    @Test(arguments: SimulatedHost.all)
    func `doctor says what fails and what would help`(host: SimulatedHost) throws {
        let launcher = [try Deny.path(), host.rules, "--"]
        let (report, outcome) = try Report.of(try LichenProgram(), launcher)
        #expect(outcome.status == (host.mode == .none ? 71 : 0))
        #expect(report.verdict.mode == host.mode.rawValue, "\(report.verdict)")
        #expect(report.verdict.advice?.fact == host.advice, "\(report.verdict)")
        #expect(report.facts.map(\.name) == FactCatalog.names)
        for (name, state) in host.facts {
            #expect(
                report[name]?.state == state.rawValue, "\(report[name].map { "\($0)" } ?? name)")
        }
        for fact in report.facts where fact.state == "unknown" {
            #expect(fact.detail?.isEmpty == false, "\(fact)")
        }
    }

    /// What the verdict promises is what a build does.
    @Test(arguments: [
        ("acct", true), ("unshare", false), ("unshare&0x400", false), ("pidfd_getfd", true),
        ("mount", false),
        ("landlock_*=EOPNOTSUPP", true),
        ("seccomp@1&8=EBUSY", true), ("clone3=ENOSYS", false), ("fsopen=ENOSYS", false),
        ("seccomp=EINVAL", false), ("openat2=ENOSYS", true), ("openat2", true),
    ])
    func `a build with RUN works where doctor says so`(rules: String, works: Bool) throws {
        let lichen = try LichenProgram()
        let launcher = [try Deny.path(), rules, "--"]
        let context = try BuildFolder("FROM \(Bases.busybox())\nRUN echo > /made\n")
        var build = lichen.build(context)
        build.arguments = launcher + build.arguments
        let outcome = try build.run()
        #expect(outcome.isSuccess == works, "\(outcome)")
        #expect(try Report.of(lichen, launcher).report.verdict.run == works)
    }

    /// The walk that stands in for openat2 comes to the same files. "acct" alone makes the places alike: no_new_privs for both.
    @Test(arguments: ["openat2=ENOSYS,acct", "openat2=EPERM,acct"])
    func `a build without openat2 gives the same image`(rules: String) throws {
        let context = try BuildFolder(
            """
            FROM \(Bases.busybox())
            COPY d link/../d/ /copied/
            ADD files.tar.gz /added/
            WORKDIR /work/here
            RUN mkdir -p a/b && ln -s ../a/b a/l && echo x > a/l/f && ln a/b/f g && rm /copied/one
            """, ["d/one": "1", "d/two/three": "3"])
        try Command([
            "sh", "-ec",
            "cd \(context.path); ln -s d link; tar --mtime=@1 --owner=0 --group=0 --sort=name -czf files.tar.gz d link",
        ]).run().required()
        func digest(_ rules: String) throws -> String {
            var build = try LichenProgram().build(
                context, [], ["SOURCE_DATE_EPOCH": "1000000000"])
            build.arguments = [try Deny.path(), rules, "--"] + build.arguments
            return try build.run().required().text
        }
        let expected = try digest("acct")
        #expect(expected.contains("sha256:"))
        #expect(try digest(rules) == expected)
    }

    /// It was "killed from outside": process 1 of the sandbox ended without a word.
    @Test func `a build says what its sandbox lacks`() throws {
        let context = try BuildFolder("FROM \(Bases.busybox())\nRUN true\n")
        var build = try LichenProgram().build(context)
        build.arguments = [try Deny.path(), "unshare&0x400", "--"] + build.arguments
        let outcome = try build.run()
        let words = "part the sandbox's first process from the command: operation not permitted"
        #expect(outcome.error.contains(words), "\(outcome)")
    }

    @Test func `doctor finds a masked /proc, and what that means`() throws {
        let script = "mount -t tmpfs none /proc/fs && exec \"$@\""
        let launcher = ["unshare", "-Urm", "sh", "-c", script, "sh"]
        let (report, outcome) = try Report.of(try LichenProgram(), launcher)
        #expect(outcome.status == 0)
        #expect(report["proc.fresh"]?.state == "missing")
        #expect(report.verdict.missing == [])
        #expect(report.verdict.lacks.contains { $0.fact == "proc.fresh" })
    }

    @Test func `doctor finds a limit of namespaces`() throws {
        let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\""
        let launcher = ["unshare", "-Ur", "sh", "-c", script, "sh"]
        let (report, _) = try Report.of(try LichenProgram(), launcher)
        #expect(report["max_user_namespaces"]?.value == "0")
        #expect(report["userns"]?.detail?.contains("no space left") == true)
        #expect(report.verdict.advice?.fact == "max_user_namespaces")
    }
}
