import Glibc
import Testing

@testable import Dockerfile

private func document(_ text: String) throws -> DockerfileDocument {
    try DockerfileDocument.parse(Array(text.utf8), file: "Dockerfile")
}

private func graph(_ text: String) throws -> StageGraph {
    let document = try document(text)
    return try StageGraph(document, bases: document.stages.map(\.from.base.text))
}

private func problem(_ text: String) -> DockerfileError.Problem? {
    do {
        _ = try graph(text)
        return nil
    } catch { return (error as? DockerfileError)?.problem }
}

@Suite struct `A stage` {
    @Test func `is found by name in any case, by number, or as the last`() throws {
        let file = try document("FROM a AS Build\nFROM b AS test\nFROM c\n")
        #expect(try file.stage(target: "BUILD").index == 0)
        #expect(try file.stage(target: "1").index == 1)
        #expect(try file.stage(target: nil).index == 2)
        #expect(file.stages.map(\.label) == ["build", "test", "stage-2"])
    }

    @Test func `that is not there is an error with the nearest name`() throws {
        let file = try document("FROM a AS build\n")
        let error = try #require(throws: DockerfileError.self) {
            _ = try file.stage(target: "biuld")
        }
        #expect("\(error)" == #"Dockerfile:1: no stage is named "biuld"; did you mean build?"#)
        #expect(throws: DockerfileError.self) { try file.stage(target: "3") }
    }

    @Test func `needs its base, what it copies from and what it mounts`() throws {
        let stages = try graph(
            """
            FROM a AS one
            FROM one AS two
            FROM b AS three
            FROM c
            COPY --from=TWO x y
            COPY --from=2 x y
            COPY --from=image:1 x y
            RUN --mount=from=one,target=/x true
            """)
        #expect(stages.dependencies[3].map(\.stage) == [1, 2, 0])
        #expect(stages.dependencies[3].map(\.use) == [.copy, .copy, .mount])
        #expect(stages.order(target: 3) == [0, 1, 2, 3])
        #expect(stages.order(target: 2) == [2])
        #expect(stages.order(target: 1) == [0, 1])
    }

    @Test func `of a name used twice is the one before as base, the last elsewhere`() throws {
        let stages = try graph("FROM a AS x\nFROM b AS x\nFROM x\nCOPY --from=x a b\n")
        #expect(stages.dependencies[2].map(\.stage) == [1, 1])
        #expect(
            problem("FROM a AS x\nFROM x\nCOPY --from=x a b\nFROM b AS x\n") == .laterStage("x"))
    }

    @Test func `named like its base is built on the image of that name`() throws {
        #expect(try graph("FROM debian AS debian\nRUN true\n").dependencies == [[]])
    }

    @Test func `that needs itself is a cycle`() {
        #expect(problem("FROM a AS x\nCOPY --from=x a b\n") == .cyclicStages(["x", "x"]))
        #expect(problem("FROM a\nCOPY --from=0 a b\n") == .cyclicStages(["stage-0", "stage-0"]))
        #expect(
            problem("FROM a AS x\nCOPY --from=y a b\nFROM x AS y\n")
                == .cyclicStages(["x", "y", "x"]))
    }

    @Test func `that needs a later one or a number too high is refused`() {
        #expect(problem("FROM a\nCOPY --from=y a b\nFROM b AS y\n") == .laterStage("y"))
        #expect(
            problem("FROM a\nCOPY --from=7 a b\n") == .stageIndexOutOfRange(7, count: 1))
    }

    @Test func `with an empty base is refused`() throws {
        let file = try document("FROM $none\n")
        #expect(throws: DockerfileError.self) { try StageGraph(file, bases: [""]) }
    }
}

@Suite struct `A RUN` {
    private func run(_ text: String) throws -> RunInstruction {
        let file = try document("FROM a\n" + text)
        guard case .run(let run) = file.stages[0].instructions[0].operation else {
            throw ExpansionError.tooComplex
        }
        return run
    }

    @Test func `of one heredoc is its text`() throws {
        let run = try run("RUN <<-EOF\n\techo a\n\t\techo b\n\tEOF\n")
        let invocation = run.invocation(shell: ["/bin/sh", "-c"])
        #expect(invocation.arguments == ["/bin/sh", "-c", "echo a\necho b\n"])
        #expect(invocation.script == nil)
    }

    @Test func `of one heredoc with an interpreter is a file`() throws {
        let invocation = try run("RUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF\n")
            .invocation(shell: ["/bin/sh", "-c"])
        #expect(invocation.arguments == ["/bin/sh", "-c", "/dev/pipes/EOF"])
        #expect(invocation.script?.content == "#!/usr/bin/env python3\nprint(1)\n")
    }

    @Test func `with a heredoc among words is left to the shell`() throws {
        let invocation = try run("RUN cat <<A - <<'B' && true\na\nA\nb\nB\n").invocation(shell: [
            "sh"
        ])
        #expect(invocation.arguments == ["sh", "cat <<A - <<'B' && true\na\nA\nb\nB"])
    }

    @Test func `has mounts whose values are expanded`() throws {
        let text =
            "FROM a\nRUN --mount=type=cache,id=$ID,target=/c,mode=0755,uid=$U,sharing=locked true\n"
        let file = try document(text)
        guard case .run(let run) = file.stages[0].instructions[0].operation else { return }
        let values = ["ID": "pip", "U": "1000"]
        let mount = try file.expand(run.mounts[0]) { values[$0] }
        #expect(mount.kind == .cache && mount.id == "pip" && mount.target == "/c")
        #expect(mount.mode == 0o755 && mount.uid == 1000 && mount.sharing == .locked)
        #expect(!mount.isReadOnly)
        let error = try #require(throws: DockerfileError.self) {
            _ = try file.expand(run.mounts[0]) { _ in "x" }
        }
        #expect("\(error)" == #"Dockerfile:2: invalid value "x" for uid"#)
    }

    @Test(
        arguments: [
            ("type=bind", true), ("type=bind,rw", false), ("type=cache,target=/c", false),
            ("type=cache,target=/c,ro", true), ("type=tmpfs,target=/t", false),
            ("type=secret,id=s", true),
            ("type=ssh", true), ("target=/x,readonly=false", false),
        ] as [(String, Bool)])
    func `mounts for reading, or for writing`(flag: String, isReadOnly: Bool) throws {
        let mounts = try run("RUN --mount=\(flag) true\n").mounts
        let mount = try mounts[0].mount { (value) throws(ExpansionError) in value }
        #expect(mount.isReadOnly == isReadOnly)
    }

    @Test(
        arguments: [("64m", 64 << 20), ("1.5GiB", 3 << 29), ("10", 10), ("2 kb", 2048), ("1b", 1)]
            as [(String, Int)])
    func `takes sizes with units`(text: String, bytes: Int) { #expect(byteCount(text) == bytes) }

    @Test(arguments: ["", "m", "1x", "1mm", "1.2.3", "99999999999999p"])
    func `refuses sizes that are none`(text: String) { #expect(byteCount(text) == nil) }
}

@Suite struct `A trigger of a base image` {
    @Test func `is one instruction, heredocs included`() throws {
        let file = try document("FROM a\nONBUILD COPY <<EOF /x\nhi\nEOF\nRUN true\n")
        guard case .onBuild(let trigger) = file.stages[0].instructions[0].operation else { return }
        #expect(trigger.expression == "COPY <<EOF /x\nhi\nEOF")
        let parsed = try DockerfileDocument.parseTrigger(trigger.expression, file: "a (ONBUILD)")
        #expect(parsed.heredocs.map(\.body) == ["hi\n"])
        #expect(file.stages[0].instructions.count == 2)
    }

    @Test(arguments: ["ONBUILD RUN a", "FROM a", "MAINTAINER m", "RUN a\nRUN b", "", "RUM a"])
    func `is refused`(text: String) {
        #expect(throws: DockerfileError.self) {
            try DockerfileDocument.parseTrigger(text, file: "a (ONBUILD)")
        }
    }
}

@Suite struct `An excerpt` {
    @Test func `has the lines around, a caret and no terminal escapes`() throws {
        let text = "FROM a\nRUN \u{1B}[31mx\nRUM\ttrue\nRUN y\n"
        let error = try #require(throws: DockerfileError.self) { _ = try document(text) }
        #expect("\(error)" == "Dockerfile:3: unknown instruction RUM; did you mean RUN?")
        #expect(
            error.excerpt(in: Array(text.utf8)) == """
                  2 | RUN \u{FFFD}[31mx
                > 3 | RUM true
                    | ^~~
                  4 | RUN y

                """)
    }

    @Test func `is empty for a file that is not UTF-8`() throws {
        let bytes: [UInt8] = Array("FROM a\nRUN ".utf8) + [0xFF, 0x0A]
        let error = try #require(throws: DockerfileError.self) {
            _ = try DockerfileDocument.parse(bytes, file: "Dockerfile")
        }
        #expect(error.problem == .notUTF8)
        #expect(error.range.start == SourcePosition(line: 2, column: 5))
        #expect(error.excerpt(in: bytes).isEmpty)
    }
}

@Suite struct `A Dockerfile that is too large` {
    @Test func `is refused before it is read`() {
        let bytes = [UInt8](repeating: 0x0A, count: Limits.fileSize + 1)
        #expect(throws: DockerfileError.self) { try DockerfileDocument.parse(bytes, file: "D") }
        let line = Array("FROM a\nRUN ".utf8) + [UInt8](repeating: 0x78, count: Limits.lineLength)
        #expect(throws: DockerfileError.self) { try DockerfileDocument.parse(line, file: "D") }
    }

    @Test func `is read quickly up to there`() throws {
        // Microseconds on a processor: other programs don't count.
        let start = clock()
        let text = "FROM a\n" + String(repeating: "RUN echo \"$x\" \\\n  && true\n", count: 5_000)
        _ = try document(text)
        let deep = "FROM a\nRUN " + String(repeating: "[", count: 50_000) + "\n"
        _ = try document(deep)
        #expect(clock() - start < 60_000_000)
    }
}
