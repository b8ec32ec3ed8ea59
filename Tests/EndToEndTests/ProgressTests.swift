import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A build for machines` {
    private func documented(_ outcome: Command.Outcome) throws -> [ProgressSchema.Line] {
        try ProgressSchema().lines(outcome.error)
    }

    @Test func `says all as documented`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            """
            FROM \(Bases.busybox()) AS one
            RUN printf 'text \\033[31mred\\n' && printf '\\377\\000' && echo > /one
            FROM \(Bases.busybox())
            COPY --from=one /one /two
            ENV A=b
            """)
        let arguments = ["--progress", "rawjson", "--push", "-t", try newName()]
        let outcome = try lichen.build(folder, arguments).run().required()
        let lines = try documented(outcome)
        #expect(lines.first?.event == "started")
        #expect(lines.first?.text("command") == "build")
        let end = try #require(lines.last)
        #expect(end.event == "finished")
        #expect(end.text("digest").map { $0 + "\n" } == outcome.text)
        #expect(end.integer("steps") == 2)
        #expect(try #require(end.integer("uploaded")) > 0)
        // Lichen and its worker, each some megabytes at least.
        #expect(try #require(end.integer("memory")) > 8_000_000)
        let seen = Set(lines.map(\.event))
        for event in ["step-started", "step-output", "step-done", "layer", "transfer-done"] {
            #expect(seen.contains(event), "\(event) is missing")
        }
        let layer = try #require(lines.first { $0.event == "layer" && $0.integer("step") == 1 })
        #expect(layer.text("stage") == "one" && (layer.integer("size") ?? 0) > 0)

        let again = try documented(try lichen.build(folder, arguments).run().required())
        #expect(again.contains { $0.event == "step-cached" })
        #expect(again.last?.integer("cached") == 2)
    }

    @Test func `says why it failed, and which step was stopped`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            """
            FROM \(Bases.busybox()) AS one
            RUN --mount=type=cache,target=/c touch /c/begun; sleep 3000; echo > /one
            FROM \(Bases.busybox()) AS two
            RUN --mount=type=cache,target=/c while ! test -e /c/begun; do sleep 0.1; done; printf half; exit 7
            FROM scratch
            COPY --from=one /one /one
            COPY --from=two /two /two
            """)
        let outcome = try lichen.build(folder, ["--progress", "rawjson", "--jobs", "2"]).run()
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        let lines = try documented(outcome)
        let end = try #require(lines.last)
        #expect(end.event == "error" && end.integer("status") == 1)
        #expect(end.text("message")?.contains("Dockerfile:4") == true)
        #expect(lines.filter { $0.event == "step-failed" }.map { $0.integer("line") } == [4])
        #expect(lines.filter { $0.event == "step-cancelled" }.map { $0.integer("line") } == [2])
    }

    @Test func `says what is wrong with its command line`() throws {
        let lichen = try LichenProgram()
        let words = [["--progress=rawjson", "--sneeze", "."], ["--progress", "rawjson"]]
        for arguments in words {
            let outcome = try lichen.run(["build"] + arguments)
            #expect(outcome.status == 64)
            let lines = try documented(outcome)
            #expect(lines.map(\.event) == ["error"] && lines[0].integer("status") == 64)
        }
    }

    @Test func `and pull say what was moved`() throws {
        let lichen = try LichenProgram()
        let outcome = try lichen.run(["pull", "--progress", "rawjson", try Bases.busybox()])
        try outcome.required()
        let lines = try documented(outcome)
        #expect(lines.first?.text("command") == "pull")
        #expect(try #require(lines.last?.integer("downloaded")) > 100_000)
        #expect(lines.last?.text("config") == nil)
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A build in a log` {
    @Test func `ends with one line of what it took`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN echo > /file\n")
        let outcome = try lichen.build(folder).run().required()
        let last = try #require(outcome.error.split(separator: "\n").last)
        #expect(last.hasPrefix("1 step, 0 cached, ") && last.contains(", peak memory "), "\(last)")
        let quiet = try lichen.run(["build", "-q", folder.path]).required()
        #expect(quiet.error.isEmpty && quiet.text == outcome.text)
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes && TestHost.has(["script"]), needsJudges))
struct `A build on a terminal` {
    /// What a terminal of 80 columns is sent; standard output goes there, too.
    ///
    /// - Parameter seconds: how long there is something to be seen.
    private func sent(
        _ environment: [String: String], _ arguments: [String] = [], seconds: Int = 1
    ) throws -> String {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "FROM \(Bases.busybox())\nRUN echo words; sleep \(seconds); echo > /file\n")
        let build = lichen.command(["build"] + arguments + [folder.path], environment)
        var command = Command(
            ["script", "-qec", build.arguments.joined(separator: " "), "/dev/null"])
        command.environment = build.environment
        return try command.run().required().text
    }

    @Test func `shows what runs, and leaves the terminal as it was`() throws {
        // On a busy machine it may be that nothing was drawn within a second.
        var text = ""
        for seconds in [1, 10, 100] where !text.contains("│ words") {
            text = try sent(["TERM": "xterm", "NO_COLOR": ""], seconds: seconds)
        }
        #expect(text.contains("0 of 1 steps done") && text.contains("│ words"))
        #expect(text.contains("\u{1B}[1m"))
        // The cursor is never hidden, and lines break again.
        #expect(!text.contains("?25"))
        let breaks = text.split(separator: "\u{1B}[?7").dropFirst().map(\.first)
        #expect(breaks.contains("l") && breaks.last == "h")
    }

    @Test func `has no colour where NO_COLOR is set`() throws {
        var text = ""
        for seconds in [1, 10, 100] where !text.contains("0 of 1 steps done") {
            text = try sent(["TERM": "xterm", "NO_COLOR": "1"], seconds: seconds)
        }
        #expect(text.contains("0 of 1 steps done") && !text.contains("[0m"))
    }

    @Test(arguments: [["TERM": "dumb"], [:]]) func `that can do nothing is sent plain lines`(
        environment: [String: String]
    ) throws {
        let text = try sent(environment)
        #expect(text.contains("#1 words") && !text.contains("\u{1B}"))
    }

    @Test func `gets the digest alone where it is to be quiet`() throws {
        let text = try sent(["TERM": "xterm"], ["-q"])
        #expect(text.hasPrefix("sha256:") && text.split(separator: "\r\n").count == 1)
    }
}
