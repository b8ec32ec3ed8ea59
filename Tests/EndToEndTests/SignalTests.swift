import Glibc
import TestSupport
import Testing

/// A process by its id and the time at which it began.
private struct Process: Hashable, Sendable { var id, parent, start: Int }

/// All processes of this machine that can be seen.
private func processes() throws -> Set<Process> {
    let text = try Command(["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true"]).run().text
    return Set(
        text.split(separator: "\n").compactMap { line in
            // The name, in parentheses, may hold spaces.
            guard let end = line.lastIndex(of: ")"), let id = Int(line.prefix { $0 != " " }) else {
                return nil
            }
            let fields = line[end...].split(separator: " ")
            if fields.count < 21 || fields[1] == "Z" { return nil }
            return Process(id: id, parent: Int(fields[2]) ?? 0, start: Int(fields[20]) ?? 0)
        })
}

/// What has come of a process: its children, theirs, and so on.
private func descendants(of id: pid_t) throws -> Set<Process> {
    let all = try processes()
    var found: Set<Process> = []
    var next: Set<Int> = [Int(id)]
    while !next.isEmpty {
        let children = all.filter { next.contains($0.parent) }
        found.formUnion(children)
        next = Set(children.map(\.id))
    }
    return found
}

/// How a build came to its end.
private struct Ending: Sendable {
    var outcome: Command.Outcome
    var duration: Duration
    /// Processes of the build that outlived it.
    var left: [Process]
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `Two stages that sleep` {
    private func sleepers(_ seconds: Int) throws -> BuildFolder {
        try BuildFolder(
            """
            FROM \(Bases.busybox()) AS one
            RUN sleep \(seconds) && echo > /one
            FROM \(Bases.busybox()) AS two
            RUN sleep \(seconds) && echo > /two
            FROM scratch
            COPY --from=one /one /one
            COPY --from=two /two /two
            """)
    }

    /// Starts the build, and waits until both commands sleep.
    private func begin(_ lichen: LichenProgram, _ folder: BuildFolder) throws -> Command.Running {
        let running = try lichen.build(folder, ["--jobs", "2", "-t", "sleepers:1"]).start()
        // The worker, and for each step its process 1 and the shell or what it has become.
        for _ in 0..<1500 {
            if try descendants(of: running.process).count >= 5 { return running }
            if !running.isAlive { break }
            usleep(20_000)
        }
        throw TestSupportError("the steps did not start: \(running.error)")
    }

    /// Those of `all` that are still there.
    private func left(of all: Set<Process>) throws -> [Process] {
        let now = Set(try processes().map { [$0.id, $0.start] })
        return all.filter { now.contains([$0.id, $0.start]) }
    }

    @Test func `sleep at the same time`() async throws {
        let lichen = try LichenProgram()
        let folder = try sleepers(20)
        let outcome = try await aside {
            try lichen.build(folder, ["--jobs", "2", "-t", "sleepers:1"]).run().required()
        }
        // Neither one after the other, nor killed when an idle thread of a pool ends, as after 5 s.
        #expect(outcome.duration > .seconds(20))
        #expect(outcome.duration < .seconds(35), "\(outcome)")
    }

    @Test func `are gone soon after their builder was killed`() async throws {
        let lichen = try LichenProgram()
        let ending = try await aside { () throws -> Ending in
            let running = try begin(lichen, try sleepers(60))
            let all = try descendants(of: running.process)
            running.send(SIGKILL)
            let outcome = try running.finish(within: .seconds(5))
            sleep(2)
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

    /// - Parameter toAll: as a terminal does: to the whole group, the worker among them.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP], [false, true])
    func `end at once when they are told to`(signal: CInt, toAll: Bool) async throws {
        let lichen = try LichenProgram()
        let ending = try await aside { () throws -> Ending in
            let running = try begin(lichen, try sleepers(60))
            let all = try descendants(of: running.process)
            let start = ContinuousClock.now
            if toAll { killpg(running.process, signal) } else { running.send(signal) }
            let outcome = try running.finish(within: .seconds(10))
            // A process that is on its way out may be seen for a moment longer than its parent.
            while try !left(of: all).isEmpty, ContinuousClock.now - start < .seconds(3) {
                usleep(20_000)
            }
            return Ending(
                outcome: outcome, duration: ContinuousClock.now - start, left: try left(of: all))
        }
        #expect(ending.duration < .seconds(2))
        #expect(ending.outcome.signal == signal, "\(ending.outcome)")
        #expect(ending.outcome.error.contains("interrupted"), "\(ending.outcome)")
        #expect(ending.left.isEmpty)
        #expect(lichen.work.isEmpty)
        #expect(!String(decoding: lichen.index, as: UTF8.self).contains("sleepers"))
    }
}
