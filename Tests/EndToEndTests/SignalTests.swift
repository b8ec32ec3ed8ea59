import Glibc
import TestSupport
import Testing

/// A process by its id and the time at which it began.
private struct Process: Hashable { var id, parent, start: Int }

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

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `Two stages that sleep` {
    @Test func `sleep at the same time`() async throws {
        let lichen = try LichenProgram()
        let folder = try sleepers(20)
        let outcome = try await lichen.build(folder, ["--jobs", "2", "-t", "sleepers:1"]).runAside()
            .required()
        // One thread that ends ahead of time would take its sandbox with it: after 5 s, with a pool's idle threads.
        #expect(outcome.duration > .seconds(20))
        #expect(outcome.duration < .seconds(35))
    }

    private func sleepers(_ seconds: Int) throws -> BuildFolder {
        try BuildFolder(
            """
            FROM \(Bases.busybox()) AS one
            RUN sleep \(seconds) && echo > /one
            FROM \(Bases.busybox())
            RUN sleep \(seconds) && echo > /two
            COPY --from=one /one /one
            """)
    }

    /// Starts the build, and waits until both commands sleep.
    private func begin(_ lichen: LichenProgram, _ folder: BuildFolder) async throws
        -> Command.Running
    {
        let running = try lichen.build(folder, ["--jobs", "2", "-t", "sleepers:1"]).start()
        // The worker, and for each step its process 1, a shell and sleep (or the shell has become it).
        for _ in 0..<1500 {
            let found = try descendants(of: running.process)
            if found.count >= 5 { return running }
            if !running.isAlive { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestSupportError("the steps did not start: \(running.error)")
    }

    @Test func `are gone soon after their builder was killed`() async throws {
        let lichen = try LichenProgram()
        let folder = try sleepers(60)
        let running = try await begin(lichen, folder)
        let all = try descendants(of: running.process)
        running.send(SIGKILL)
        let outcome = try running.finish(within: .seconds(5))
        #expect(outcome.signal == SIGKILL)
        try await Task.sleep(for: .seconds(2))
        let left = try processes().filter { now in
            all.contains { $0.id == now.id && $0.start == now.start }
        }
        #expect(left.isEmpty)
        // What it left in the store is swept up by the next build that runs something.
        let next = try BuildFolder("FROM \(Bases.busybox())\nRUN true\n")
        try lichen.build(next).run().required()
        #expect(lichen.work.isEmpty)
        #expect(try lichen.run(["store", "check"]).isSuccess)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP], [false, true])
    func `end at once when they are told to`(signal: CInt, all: Bool) async throws {
        let lichen = try LichenProgram()
        let folder = try sleepers(60)
        let running = try await begin(lichen, folder)
        let below = try descendants(of: running.process)
        let clock = ContinuousClock.now
        // A terminal sends its signal to the whole group: to the worker as well.
        if all { killpg(running.process, signal) } else { running.send(signal) }
        let outcome = try running.finish(within: .seconds(10))
        let took = ContinuousClock.now - clock
        #expect(took < .seconds(2), "\(took)")
        #expect(outcome.signal == signal, "\(outcome)")
        #expect(outcome.error.contains("interrupted"))
        let left = try processes().filter { now in
            below.contains { $0.id == now.id && $0.start == now.start }
        }
        #expect(left.isEmpty)
        #expect(lichen.work.isEmpty)
        #expect(lichen.index.isEmpty)
    }
}
