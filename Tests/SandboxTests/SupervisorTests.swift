import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The supervisor of a step` {
    private let steps: SupervisedSteps

    init() throws { steps = try SupervisedSteps() }

    /// Proves that there is no listener where nothing is wanted, and one program with one where something is.
    @Test(arguments: [([], "notWanted"), (["--denials"], "done"), (["--ids"], "done")])
    func `is there when it is wanted`(options: [String], state: String) throws {
        let seen = try steps.run(options, ["probe", "identity"])
        #expect(seen.results("supervision") == [state])
        #expect(seen["Seccomp"] == "2")
        #expect(seen["Seccomp_filters"] == "1")
    }

    /// Proves that what is on record is enough to find the culprit: program, its words, the call's arguments, the rule.
    @Test func `explains a denial`() throws {
        let script = """
            probe denied 3 1; other-probe denied 2 1; sh -c 'exec probe denied 4 1'; probe calls
            """
        let seen = try steps.run(["--denials"], ["sh", "-c", script])
        let keyctl = seen.results("denial").filter { $0.hasPrefix("keyctl(") }
        let counts = keyctl.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        #expect(
            counts == [
                "8 /bin/probe probe|denied|3|1 defaultAction",
                "2 /bin/other-probe other-probe|denied|2|1 defaultAction",
            ])
        #expect(seen.lines.prefix(1) == ["refused 3"])
        let all = seen.results("denial")
        #expect(all.contains { $0.hasPrefix("mount(\"none\",\"/tmp\",\"tmpfs\",0,null) ") })
        #expect(all.contains { $0.hasPrefix("umount2(\"/proc\",2) 2 ") })
        let ioctl = try #require(all.first { $0.hasPrefix("ioctl(0,21522,") })
        #expect(ioctl.contains(" policies/default.json:"))
        #expect(!all.contains { $0.hasPrefix("clone3") }, "ENOSYS is no denial")
    }

    /// Proves that nothing that a RUN sees of its policy depends on the supervisor, for either way of installing the filter.
    @Test(arguments: ["0", "1000"])
    func `changes no answer`(user: String) throws {
        let plain = try steps.run(["--user", user], ["probe", "calls"])
        let supervised = try steps.run(
            ["--user", user, "--denials", "--ids", "--hide"], ["probe", "calls"])
        #expect(supervised.lines == plain.lines)
        #expect(plain.lines.count > 45)
        let identity = try steps.run(
            ["--user", user, "--denials", "--ids"], ["probe", "identity"])
        #expect(identity.results("supervision") == ["done"])
        #expect(identity["uids"] == "\(user) \(user) \(user)")
    }

    @Test func `keeps process 1 out of reach, with one descriptor`() throws {
        let seen = try steps.run(["--denials"], ["probe", "init"])
        #expect(seen.lines.filter { $0.hasPrefix("descriptor:") }.count == 1)
        let descriptors = try steps.run(["--denials"], ["probe", "descriptors"])
        #expect(descriptors.lines.map { $0.prefix(1) } == ["0", "1", "2"])
    }

    /// Proves that a command which has ended before its listener is taken costs nothing: init waits.
    @Test func `has its listener however short the command is`() async throws {
        let steps = steps
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<6 {
                group.addTask {
                    try await aside {
                        try steps.run(["--denials", "--times", "30"], ["true"]).results("threads")
                    }
                }
            }
            for try await threads in group { #expect(threads == ["0"]) }
        }
    }

    @Test func `keeps a bounded record`() throws {
        let script = "for i in $(seq 300); do ln /bin/probe /tmp/p$i; /tmp/p$i denied 1 1; done"
        let seen = try steps.run(["--denials"], ["sh", "-c", script])
        #expect(seen.lines == Array(repeating: "refused 1", count: 300).interleaved(seen.lines))
        #expect(seen.results("denial").count == 256)
        #expect(seen.results("unrecorded") == ["44"])
    }

    // MARK: - What goes wrong

    /// Proves that a listener above us costs the records, and neither the step nor the policy.
    @Test func `gives way to another listener, and says so`() throws {
        let seen = try steps.run(
            ["--denials", "--hide"], ["probe", "calls"], around: [steps.probe, "above"])
        let state = try #require(seen.results("supervision").first)
        #expect(state.hasPrefix("unavailable(") && state.contains("another seccomp listener"))
        #expect(seen.lines == (try steps.run([], ["probe", "calls"])).lines)
        let free = try steps.run(["--denials"], ["probe", "calls"])
        #expect(free.results("supervision") == ["done"])
    }

    /// Proves that a policy under which the set-up could not report runs plain instead of waiting for ever.
    @Test func `is not there where the policy refuses write`() throws {
        let seen = try steps.run(["--denials", "--refuse", "write"], ["true"])
        #expect(try #require(seen.results("supervision").first).contains("refuses write"))
    }

    @Test func `tells of a program that is not there`() throws {
        let outcome = try steps.command(["--denials"], ["/no/such"]).run()
        #expect(outcome.text.contains("error: execute /no/such: no such file or directory"))
    }

    /// Proves that nothing is allowed when the supervisor dies in the middle of a call.
    @Test func `ends the step with it`() throws {
        for _ in 0..<10 {
            let running = try steps.command(["--denials"], ["probe", "wait"]).start()
            try running.awaitError("waiting")
            running.send(SIGKILL)
            usleep(20_000)
            let error = running.error
            #expect(try running.finish().signal == SIGKILL)
            // It was killed, or had the kernel's answer for want of a listener first.
            #expect(["waiting\n", "waiting\nanswer ENOSYS\n"].contains(error), "\(error)")
        }
    }

    // MARK: - Load

    @Test func `answers 10,000 calls of eight threads`() throws {
        let seen = try steps.run(["--denials"], ["probe", "denied", "10000", "8"])
        #expect(seen["refused"] == "10000")
        #expect(seen.results("denial").count == 1)
        #expect(seen.results("denial")[0].contains(") 10000 "))
    }

    @Test func `answers through a storm of signals`() throws {
        let seen = try steps.run(["--denials", "--ids", "--hide"], ["probe", "storm", "3000"])
        #expect(seen.lines == ["refused 3000", "chowned 3000", "signals many"])
    }

    @Test func `goes on when callers are killed`() throws {
        let seen = try steps.run(["--denials", "--hide"], ["probe", "killed", "200"])
        #expect(seen.lines == ["killed 200", "refused 1"])
    }

    /// Proves that the end of a step ends its supervisor, whatever is still waiting in it: no thread or descriptor stays.
    @Test(arguments: [["bomb", "30"], ["denied", "10", "1"]])
    func `leaves nothing behind`(probe: [String]) throws {
        let seen = try steps.run(
            ["--denials", "--ids", "--hide", "--times", "6"], ["probe"] + probe)
        #expect(seen.results("descriptors") == ["0"])
        #expect(seen.results("threads") == ["0"])
    }
}

extension [String] {
    /// These lines with the `nanoseconds` lines of `others` after each.
    fileprivate func interleaved(_ others: [String]) -> [String] {
        let more = others.filter { $0.hasPrefix("nanoseconds ") }
        return zip(self, more).flatMap { [$0, $1] }
    }
}
