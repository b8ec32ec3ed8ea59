import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `ONBUILD` {
    /// An image with triggers, by its name.
    private func base(_ triggers: String) throws -> String {
        try build("RUN echo base > /base\n\(triggers)").name
    }

    @Test func `is on record, and changes nothing where it stands`() throws {
        let built = try build(
            "ONBUILD RUN echo never\nONBUILD COPY <<EOF /x\nhi\nEOF\nONBUILD ENV A=b\nRUN true")
        let config = try #require(built.image.image.config)
        #expect(config.OnBuild == ["RUN echo never", "COPY <<EOF /x\nhi\nEOF", "ENV A=b"])
        #expect(config.Env?.contains("A=b") != true)
        #expect(!built.outcome.error.contains("] RUN echo never"))
    }

    @Test func `of a base is carried out right after FROM, in one generation`() throws {
        let name = try base(
            "ONBUILD ARG WHO=nobody\nONBUILD COPY file /copied\nONBUILD RUN echo $WHO > /who\nONBUILD ENV SET=yes"
        )
        let child = try build(
            "RUN cat /who /copied > /all; echo $SET >> /all", files: ["file": "content\n"],
            base: name, baseLayers: 2, ["--build-arg", "WHO=me"])
        #expect(child.newLayers.last?.entry("all")?.content == "me%0Acontent%0Ayes%0A")
        #expect(child.image.image.config?.OnBuild == nil)
        #expect(child.image.image.config?.Env?.contains("SET=yes") == true)
        let grandchild = try build("RUN true", base: child.name, baseLayers: 5)
        #expect(grandchild.newLayers.isEmpty)
    }

    @Test func `of a stage is carried out where another stage stands on it`() throws {
        let built = try buildWhole(
            """
            FROM \(Bases.busybox()) AS one
            ONBUILD RUN echo trigger > /t
            FROM one AS two
            RUN cat /t > /seen
            FROM two
            RUN ls / > /list
            """, baseLayers: 1)
        #expect(built.newLayers.contains { $0.entry("seen")?.content == "trigger%0A" })
        #expect(built.image.image.config?.OnBuild == nil)
        #expect(built.newLayers.count == 3)
    }

    @Test func `may copy from a stage that nothing else needs`() throws {
        let name = try base("ONBUILD COPY --from=helper /h /h")
        let built = try buildWhole(
            "FROM \(Bases.busybox()) AS helper\nRUN echo help > /h\nFROM \(name)\nRUN cat /h > /all\n",
            baseLayers: 2)
        #expect(built.newLayers.last?.entry("all")?.content == "help%0A")
    }

    @Test func `that can't be carried out is refused at the FROM that brings it`() throws {
        let name = try base("ONBUILD RUN --security=insecure true")
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM scratch AS x\n\nFROM \(name)\n")
        let outcome = try lichen.build(folder).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("Dockerfile:3: "), "\(outcome)")
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A stage for another platform` {
    #if arch(arm64)
        private let foreign = "linux/amd64"
    #else
        private let foreign = "linux/arm64"
    #endif

    @Test func `needs no emulation where nothing runs in it`() throws {
        let built = try buildWhole(
            """
            FROM --platform=$BUILDPLATFORM \(Bases.busybox()) AS tools
            RUN echo "$0 made this" > /made
            FROM --platform=$TARGETPLATFORM scratch
            WORKDIR /w
            COPY --from=tools /made /
            COPY file .
            ENV A=b
            """, files: ["file": "x"], ["--platform", foreign])
        #expect(built.image.image.os == "linux")
        #expect(built.image.image.architecture == foreign.split(separator: "/")[1])
        #expect(built.newLayers.last?.entry("w/file") != nil)
    }

    @Test func `is for what its FROM says, and the image too`() throws {
        let built = try buildWhole(
            "FROM --platform=\(foreign) scratch AS s\nCOPY f /\n", files: ["f": ""])
        #expect(built.image.image.architecture == foreign.split(separator: "/")[1])
    }

    @Test func `is refused before anything runs where no emulator can be had for a RUN`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "FROM \(Bases.busybox()) AS one\nRUN echo ran\nFROM --platform=linux/mips scratch AS two\nCOPY --from=one / /\nRUN true\n"
        )
        let outcome = try lichen.build(folder).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("Dockerfile:5: RUN for linux/mips"), "\(outcome)")
        #expect(!outcome.error.contains("#1 "))
        let pruned = try lichen.build(folder, ["--target", "one"]).run()
        #expect(pruned.status == 0, "\(pruned)")
    }

    @Test func `can't stand on a stage for this one`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "FROM scratch AS one\nCOPY Dockerfile /\nFROM --platform=\(foreign) one\n")
        let outcome = try lichen.build(folder).run()
        #expect(
            outcome.status == 65 && outcome.error.contains("Dockerfile:3: the stage below is for"))
    }
}

@Suite struct `A stage's name that is misspelt` {
    @Test(arguments: ["FROM bilder\n", "FROM scratch\nCOPY --from=bilder / /\n"])
    func `is suggested where no image has that name`(rest: String) throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM scratch AS builder\nCOPY Dockerfile /\n" + rest)
        let outcome = try lichen.build(folder, ["--pull", "never"]).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("hint: did you mean the stage builder?"), "\(outcome)")
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A Dockerfile from elsewhere` {
    private let text = "FROM scratch\nCOPY file /\n"

    @Test func `comes through standard input`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "not a Dockerfile", ["file": "x", "Dockerfile.dockerignore": "file"])
        var command = lichen.build(folder, ["-f", "-"])
        let piped = try BuildFolder(text)
        command.input = piped.path + "/Dockerfile"
        try command.run().required()
        try piped.write("Dockerfile", "FROM scratch\nCOPI a b\n")
        let outcome = try command.run()
        #expect(
            outcome.status == 65 && outcome.error.contains("Dockerfile:2: unknown instruction COPI")
        )
        #expect(outcome.error.contains("> 2 | COPI a b"))
    }

    @Test func `comes from a URL, redirects followed`() throws {
        let text = text
        let server = try ScriptedServer { request in
            switch request.target {
            case "/moved": [.answer(302, ["Location": "/Dockerfile"])]
            case "/Dockerfile": [.answer(200, body: text.utf8)]
            case "/loop": [.answer(302, ["Location": "/loop"])]
            case "/large": [.answer(200, body: [UInt8](repeating: 0x20, count: 5 << 20))]
            default: [.answer(404)]
            }
        }
        let lichen = try LichenProgram()
        let folder = try BuildFolder("", ["file": "x"])
        func run(_ path: String) throws -> Command.Outcome {
            try lichen.build(folder, ["-f", "http://127.0.0.1:\(server.port)\(path)"]).run()
        }
        #expect(try run("/Dockerfile").status == 0)
        #expect(try run("/moved").status == 0)
        let missing = try run("/none")
        #expect(missing.status == 69 && missing.error.contains("status 404"))
        let loop = try run("/loop")
        #expect(loop.status == 69 && loop.error.contains("redirects"))
        let large = try run("/large")
        #expect(large.status == 65 && large.error.contains("larger than"))
        let scheme = try lichen.build(folder, ["-f", "ftp://h/Dockerfile"]).run()
        #expect(scheme.status == 65 && scheme.error.contains("no URL"))
    }
}
