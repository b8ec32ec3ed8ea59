import TestSupport
import Testing

@Suite struct `lichen lint` {
    private let flawed = "FROM scratch as b\nMAINTAINER x\n"

    private func lint(_ dockerfile: String, _ words: [String] = []) throws -> Command.Outcome {
        let folder = try BuildFolder(dockerfile)
        defer { withExtendedLifetime(folder) {} }
        return try LichenProgram().run(["lint"] + words + [folder.path])
    }

    @Test func `prints what it finds, and fails where the file asks for that`() throws {
        let found = try lint(flawed)
        #expect(found.status == 0)
        #expect(found.text.contains("Dockerfile:1: warning: FromAsCasing"))
        #expect(found.text.contains("> 2 | MAINTAINER x"))
        let strict = try lint("# check=error=true\n" + flawed)
        #expect(strict.status == 1)
        #expect(strict.text.contains("Dockerfile:2: error: FromAsCasing"))
        let skipped = try lint("# check=skip=all;error=true\n" + flawed)
        #expect(skipped.status == 0 && skipped.text == "no findings\n")
    }

    @Test func `reports a file that can't be parsed in every format`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM a\nCOPY --chwon=1 a b\n")
        for format in ["text", "json", "sarif"] {
            let outcome = try lichen.run(["lint", "--format", format, folder.path])
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.text.contains("ParseError"))
            #expect(outcome.text.contains("did you mean --chown?"))
        }
    }

    @Test func `reads standard input, and takes arguments, a target and an ignore file`() throws {
        let lichen = try LichenProgram()
        var command = lichen.command(["lint", "-f", "-"])
        let piped = try BuildFolder(flawed)
        command.input = piped.path + "/Dockerfile"
        #expect(try command.run().text.contains("FromAsCasing"))
        let folder = try BuildFolder(
            "ARG T\nFROM base:$T AS one\nCOPY $x .\nFROM scratch\nCOPY kept.d /\n",
            [".dockerignore": "*.d"])
        let all = try lichen.run(["lint", folder.path]).text
        #expect(all.contains("UndefinedVar") && all.contains("CopyIgnoredFile"))
        #expect(
            try !lichen.run(["lint", "--target", "1", folder.path]).text.contains("UndefinedVar"))
        let skipped = try lichen.run(
            ["lint", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=all", folder.path])
        #expect(skipped.text == "no findings\n")
        let platform = try lint(
            "ARG P=linux/arm64\nFROM --platform=$TARGETPLATFORM a\n", ["--platform", "linux/arm64"])
        #expect(platform.text.contains("RedundantTargetPlatform"))
    }

    @Test func `makes no store`() throws {
        let lichen = try LichenProgram()
        let place = lichen.store + "/none"
        let folder = try BuildFolder("FROM a\n")
        #expect(try lichen.run(["lint", "--root", place, folder.path]).status == 0)
        #expect(try Command(["test", "-e", place]).run().status == 1)
    }
}

@Suite struct `lichen parse` {
    @Test func `prints an outline, or JSON with every place`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("ARG A=1\nFROM a AS b\nRUN x \\\n  y\n")
        let outline = try lichen.run(["parse", "-f", folder.path + "/Dockerfile"])
        #expect(outline.text == "1  ARG A=1\n\n2  FROM a AS b\n3    RUN x   y\n")
        let json = try lichen.run(["parse", "--json", "-f", folder.path + "/Dockerfile"])
        #expect(json.text.contains("\"range\": \"3:1-4:4\""))
        var command = lichen.command(["parse", "--json", "--file", "-"])
        command.input = folder.path + "/Dockerfile"
        #expect(try command.run().text.contains("\"kind\": \"FROM\""))
    }

    @Test func `shows where a file is wrong`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM a\nENTRYPONT x\n")
        let outcome = try lichen.run(["parse", "--json", "-f", folder.path + "/Dockerfile"])
        #expect(outcome.status == 65 && outcome.output.isEmpty)
        #expect(outcome.error.contains("did you mean ENTRYPOINT?"))
        #expect(outcome.error.contains("> 2 | ENTRYPONT x"))
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A build with findings` {
    @Test func `says each once, and goes on`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "FROM \(Bases.busybox()) as b\nCOPY $x /\nENV a=$PATH\n", ["f": ""])
        let outcome = try lichen.build(folder).run().required()
        let lines = outcome.error.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
        #expect(lines.count == 2, "\(lines)")
        #expect(lines.first?.contains("Dockerfile:1: FromAsCasing") == true)
        #expect(lines.last?.contains("Dockerfile:2: UndefinedVar: nothing sets $x") == true)
    }

    @Test func `ends before anything runs where the file asks for that`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "# check=error=true\nFROM \(Bases.busybox()) as b\nRUN echo ran\n")
        let outcome = try lichen.build(folder).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("Dockerfile:2: the checks found something: FromAsCasing"))
        #expect(!outcome.error.contains("#1 ") && outcome.output.isEmpty)
        let told = try lichen.build(
            folder, ["--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=FromAsCasing;error=true"]
        ).run()
        #expect(told.status == 0 && !told.error.contains("warning: "), "\(told)")
        let wrong = try lichen.build(
            folder, ["--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skp=all"]
        ).run()
        #expect(wrong.status == 65 && wrong.error.contains("BUILDKIT_DOCKERFILE_CHECK"))
    }
}
