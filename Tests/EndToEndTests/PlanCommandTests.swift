import FoundationEssentials
import TestSupport
import Testing

private struct Plan: Decodable {
    struct Step: Decodable {
        var line, number: Int
        var outlook, text: String
    }
    struct Stage: Decodable {
        var base, stage, platform: String
        var baseDigest: String?
        var line: Int
        var steps: [Step]
    }
    struct Pruned: Decodable { var stage: String }
    struct Download: Decodable {
        var digest, image: String
        var size: Int
    }
    var target: String
    var stages: [Stage]
    var pruned: [Pruned]
    var downloads: [Download]

    func outlooks(_ stage: String) -> [String] {
        stages.first { $0.stage == stage }?.steps.map(\.outlook) ?? []
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `lichen plan` {
    private func plan(_ lichen: LichenProgram, _ folder: BuildFolder, _ words: [String] = []) throws
        -> Plan
    {
        let outcome = try lichen.run(["plan", "--format", "json"] + words + [folder.path])
        try #require(outcome.status == 0, "\(outcome)")
        return try JSONDecoder().decode(Plan.self, from: Data(outcome.output))
    }

    private func files(_ lichen: LichenProgram) throws -> [String] {
        try Command(["find", lichen.store, "-type", "f"]).run().required().text
            .split(separator: "\n").map(String.init).sorted()
    }

    private func folder() throws -> BuildFolder {
        let base = try Bases.busybox()
        return try BuildFolder(
            """
            FROM \(base) AS tools
            RUN echo tool > /tool
            FROM \(base) AS unused
            RUN echo unused
            FROM tools AS made
            COPY file /file
            RUN cat /file /tool > /both
            FROM scratch
            LABEL a=b
            COPY --from=made /both /
            WORKDIR /x
            """, ["file": "one"])
    }

    @Test func `says what would run, what depends on it, and what would be downloaded`() throws {
        let (lichen, folder) = (try LichenProgram(), try folder())
        let first = try plan(lichen, folder)
        #expect(first.target == "stage-3")
        #expect(first.pruned.map(\.stage) == ["unused"])
        #expect(first.stages.map(\.stage) == ["tools", "made", "stage-3"])
        #expect(first.outlooks("tools") == ["runs"])
        #expect(first.outlooks("made") == ["unknown", "unknown"])
        #expect(first.outlooks("stage-3") == ["config", "unknown", "unknown"])
        #expect(first.downloads.count == 1 && first.downloads[0].size > 100_000)
        #expect(first.stages[0].baseDigest?.hasPrefix("sha256:") == true)
        #expect(try files(lichen).contains { $0.contains("/steps/") } == false)
        #expect(lichen.work.isEmpty)
    }

    @Test func `knows after a build that nothing would run, and after a change what would`() throws
    {
        let (lichen, folder) = (try LichenProgram(), try folder())
        try lichen.build(folder).run().required()
        let before = try files(lichen)
        let second = try plan(lichen, folder)
        #expect(second.outlooks("tools") == ["cached"])
        #expect(second.outlooks("made") == ["cached", "cached"])
        #expect(second.outlooks("stage-3") == ["config", "cached", "cached"])
        #expect(second.downloads.isEmpty)
        try folder.write("file", "two")
        let third = try plan(lichen, folder)
        #expect(third.outlooks("tools") == ["cached"])
        #expect(third.outlooks("made") == ["runs", "unknown"])
        #expect(third.outlooks("stage-3") == ["config", "unknown", "unknown"])
        #expect(try files(lichen) == before)
        #expect(try plan(lichen, folder, ["--no-cache"]).outlooks("tools") == ["runs"])
        #expect(try plan(lichen, folder, ["--target", "tools"]).pruned.count == 3)
        let other = try plan(lichen, folder, ["--network", "none"])
        #expect(other.outlooks("tools") == ["runs"])
    }

    @Test func `knows what mounts of another stage stand on`() throws {
        let lichen = try LichenProgram()
        let base = try Bases.busybox()
        let folder = try BuildFolder(
            """
            FROM \(base) AS tools
            RUN echo tool > /tool
            FROM \(base)
            RUN true
            RUN --mount=type=bind,from=tools,target=/t cat /t/tool
            """)
        #expect(try plan(lichen, folder).outlooks("stage-1") == ["runs", "unknown"])
        try lichen.build(folder).run().required()
        #expect(try plan(lichen, folder).outlooks("stage-1") == ["cached", "cached"])
        try folder.write(
            "Dockerfile",
            "FROM \(base) AS tools\nRUN echo other > /tool\nFROM \(base)\nRUN true\n"
                + "RUN --mount=type=bind,from=tools,target=/t cat /t/tool\n")
        #expect(try plan(lichen, folder).outlooks("stage-1") == ["cached", "unknown"])
    }

    @Test func `starts no process and prints what a person can read`() throws {
        let (lichen, folder) = (try LichenProgram(), try folder())
        var command = lichen.command(["plan", folder.path])
        let trace = folder.path + ".trace"
        if TestHost.has(["strace"]) {
            command.arguments =
                ["strace", "-f", "-o", trace, "-e", "trace=clone,clone3,unshare,execve,mount"]
                + command.arguments
        }
        let outcome = try command.run().required()
        defer { TestHost.remove(trace) }
        #expect(outcome.text.contains("tools, line 1: on "))
        #expect(outcome.text.contains("  #1 runs     RUN echo tool > /tool\n"))
        #expect(outcome.text.contains("not needed: unused (line 3)"))
        #expect(outcome.text.contains("0 cached, 1 would run, 4 not known before"))
        let calls = String(
            decoding: (try? Data(contentsOf: URL(filePath: trace))) ?? Data(), as: UTF8.self)
        #expect(calls.isEmpty || calls.ranges(of: "execve(").count == 1, "\(calls)")
        #expect(!calls.contains("CLONE_NEW"))
    }

    @Test func `knows what an ADD with a checksum brings, and asks for nothing`() throws {
        let server = try ScriptedServer { _ in [.answer(200, body: "served".utf8)] }
        let lichen = try LichenProgram()
        let digest = "8fe88bf015b53b37b5fa84dc726cd93aacca97f601185be11f5fb74fa3d77802"
        let folder = try BuildFolder(
            "FROM scratch\nADD --checksum=sha256:\(digest) http://\(server.host)/f /\nADD http://\(server.host)/f /g\n"
        )
        #expect(try plan(lichen, folder).outlooks("stage-0") == ["runs", "unknown"])
        #expect(server.requests.isEmpty)
        try lichen.build(folder).run().required()
        let asked = server.requests.count
        #expect(try plan(lichen, folder).outlooks("stage-0") == ["cached", "unknown"])
        #expect(server.requests.count == asked)
    }

    @Test func `refuses what a build refuses`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM a\nRUM x\n")
        let outcome = try lichen.run(["plan", folder.path])
        #expect(outcome.status == 65 && outcome.error.contains("did you mean RUN?"))
    }
}
