import Glibc
import TestSupport
import Testing

/// A process by its id and the time at which it began.
private struct Process: Hashable, Sendable {
    var id, parent, start: Int
    var name: String
}

/// All processes of this machine that can be seen.
private func processes() throws -> Set<Process> {
    let text = try Command(["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true"]).run().text
    return Set(
        text.split(separator: "\n").compactMap { line in
            // The name, in parentheses, may hold spaces.
            guard let end = line.lastIndex(of: ")"), let id = Int(line.prefix { $0 != " " }),
                let begin = line.firstIndex(of: "(")
            else { return nil }
            let fields = line[end...].split(separator: " ")
            if fields.count < 21 || fields[1] == "Z" { return nil }
            return Process(
                id: id, parent: Int(fields[2]) ?? 0, start: Int(fields[20]) ?? 0,
                name: String(line[line.index(after: begin)..<end]))
        })
}

/// What has come of a process: its children, theirs, and so on.
private func descendants(of id: pid_t) throws -> Set<Process> {
    let all = try processes()
    var found: Set<Process> = []
    var next: Set<Int> = [Int(id)]
    while !next.isEmpty {
        let children = all.filter { next.contains($0.parent) && !found.contains($0) }
        found.formUnion(children)
        next = Set(children.map(\.id))
    }
    return found
}

/// How a build came to its end.
private struct Ending: Sendable {
    var outcome: Command.Outcome
    var duration: Duration
    /// Processes of the build that outlived it, and time.
    var left: [Process]
    /// What was in the store's work areas at its end.
    var work: [String] = []
}

/// Longer than any of this takes, and shorter than the commands sleep that are not to be waited for.
private let patience = Duration.seconds(300)

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `Two stages that sleep` {
    private func sleepers() throws -> BuildFolder {
        try BuildFolder(
            """
            FROM \(Bases.busybox()) AS one
            RUN sleep 3000 && echo > /one
            FROM \(Bases.busybox()) AS two
            RUN sleep 3000 && echo > /two
            FROM scratch
            COPY --from=one /one /one
            COPY --from=two /two /two
            """)
    }

    /// Starts the build, and waits until both commands sleep.
    private func begin(_ lichen: LichenProgram, _ folder: BuildFolder) throws -> Command.Running {
        let running = try lichen.build(folder, ["--jobs", "2", "-t", "sleepers:1"]).start()
        let end = ContinuousClock.now + patience
        while running.isAlive, ContinuousClock.now < end {
            if try descendants(of: running.process).count(where: { $0.name == "sleep" }) == 2 {
                return running
            }
            usleep(20_000)
        }
        throw TestSupportError("the steps did not start: \(running.error)")
    }

    /// Those of `all` that are still there when there was time enough. A process that is on its way out may be seen for a moment
    /// longer than its parent.
    private func left(of all: Set<Process>) throws -> [Process] {
        let end = ContinuousClock.now + patience
        while true {
            let now = Set(try processes().map { [$0.id, $0.start] })
            let left = all.filter { now.contains([$0.id, $0.start]) }
            if left.isEmpty || ContinuousClock.now > end { return Array(left) }
            usleep(20_000)
        }
    }

    @Test func `sleep at the same time`() async throws {
        let lichen = try LichenProgram()
        // Each waits for the other to have begun: one after the other they would wait in vain.
        let stages = [("one", "two"), ("two", "one")].map { name, other in
            """
            FROM \(try! Bases.busybox()) AS \(name)
            RUN --mount=type=cache,target=/c touch /c/\(name); \
                for i in $(seq 1000); do test -e /c/\(other) && break; sleep 0.1; done; \
                test -e /c/\(other) && sleep 20 && echo > /\(name)

            """
        }
        let folder = try BuildFolder(
            stages.joined()
                + "FROM scratch\nCOPY --from=one /one /one\nCOPY --from=two /two /two\n")
        let outcome = try await aside {
            try lichen.build(folder, ["--jobs", "2", "-t", "sleepers:1"]).run().required()
        }
        // Not killed when an idle thread of a pool ends, as after 5 s.
        #expect(outcome.duration > .seconds(20))
    }

    @Test func `are gone soon after their builder was killed`() async throws {
        let lichen = try LichenProgram()
        let ending = try await aside { () throws -> Ending in
            let running = try begin(lichen, try sleepers())
            let all = try descendants(of: running.process)
            running.send(SIGKILL)
            let outcome = try running.finish(within: patience)
            return Ending(outcome: outcome, duration: running.age, left: try left(of: all))
        }
        #expect(ending.outcome.signal == SIGKILL)
        #expect(ending.left.isEmpty)
        // What it left in the store is swept up by the next build that runs something.
        let next = try BuildFolder("FROM \(Bases.busybox())\nRUN true\n")
        try lichen.build(next).run().required()
        #expect(lichen.work.isEmpty)
        try lichen.run(["store", "check"]).required()
    }

    private func end(
        _ lichen: LichenProgram, by signal: CInt, toAll: Bool
    ) throws -> Ending {
        let running = try begin(lichen, try sleepers())
        let all = try descendants(of: running.process)
        let start = ContinuousClock.now
        if toAll { killpg(running.process, signal) } else { running.send(signal) }
        let outcome = try running.finish(within: patience)
        let work = lichen.work
        let left = try left(of: all)
        return Ending(
            outcome: outcome, duration: ContinuousClock.now - start, left: left, work: work)
    }

    /// - Parameter toAll: as a terminal does: to the whole group, the worker among them.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP], [false, true])
    func `end at once when they are told to`(signal: CInt, toAll: Bool) async throws {
        let lichen = try LichenProgram()
        let ending = try await aside { () throws -> Ending in
            var ending = try end(lichen, by: signal, toAll: toAll)
            // Who is late each time waits for something; who is late once had no processor.
            for _ in 0..<4 where ending.duration >= .seconds(2) {
                ending = try end(lichen, by: signal, toAll: toAll)
            }
            return ending
        }
        #expect(ending.duration < .seconds(2))
        #expect(ending.outcome.signal == signal, "\(ending.outcome)")
        #expect(ending.outcome.error.contains("interrupted"), "\(ending.outcome)")
        #expect(ending.left.isEmpty)
        // A builder that has no time to clean up, for want of a processor, leaves that to the next one.
        #expect(ending.work.isEmpty || ending.duration > .seconds(1), "\(ending.work)")
        let next = try BuildFolder("FROM \(Bases.busybox())\nRUN true\n")
        try lichen.build(next).run().required()
        #expect(lichen.work.isEmpty)
        #expect(!String(decoding: lichen.index, as: UTF8.self).contains("sleepers"))
    }
}
