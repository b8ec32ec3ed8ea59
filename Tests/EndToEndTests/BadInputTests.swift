import FoundationEssentials
import TestSupport
import Testing

/// A build that must be refused.
struct BadInput: CustomTestStringConvertible {
    var testDescription: String
    /// BASE stands for a base that is there, HOST for the registry.
    var dockerfile: String
    var arguments: [String] = []
    var status: Int32 = 65
    /// What standard error has to say.
    var words: [String]

    static let all = [
        BadInput(
            testDescription: "an unknown instruction", dockerfile: "FROM BASE\nRUNN x\n",
            words: ["Dockerfile:2", "RUNN"]),
        BadInput(
            testDescription: "an unknown flag", dockerfile: "FROM BASE\n\nRUN --bogus=1 x\n",
            words: ["Dockerfile:3", "--bogus"]),
        BadInput(
            testDescription: "an unknown option", dockerfile: "FROM BASE\n", arguments: ["--bogus"],
            status: 64, words: ["--bogus"]),
        BadInput(
            testDescription: "a COPY source that is missing",
            dockerfile: "FROM BASE\nCOPY nothing /x\n", words: ["Dockerfile:2", "nothing"]),
        BadInput(
            testDescription: "a COPY source that is missing in a stage",
            dockerfile: "FROM BASE AS one\nFROM BASE\nCOPY --from=one /nothing /x\n",
            words: ["Dockerfile:3", "/nothing"]),
        BadInput(
            testDescription: "a path outside the context",
            dockerfile: "FROM BASE\nCOPY ../../etc/passwd /x\n", words: ["Dockerfile:2"]),
        BadInput(
            testDescription: "a link that leads outside the context",
            dockerfile: "FROM BASE\nCOPY out/passwd /x\n", words: ["Dockerfile:2", "out/passwd"]),
        BadInput(
            testDescription: "a base that is not found",
            dockerfile: "FROM HOST/no/such:1\nRUN true\n",
            status: 65, words: ["Dockerfile:1", "no/such:1"]),
        BadInput(
            testDescription: "a registry that is down", dockerfile: "FROM 127.0.0.1:9/x/y:1\n",
            status: 69, words: ["Dockerfile:1", "127.0.0.1:9"]),
        BadInput(
            testDescription: "an unknown target", dockerfile: "FROM BASE AS one\n",
            arguments: ["--target", "two"], words: ["two"]),
        BadInput(
            testDescription: "an unknown stage", dockerfile: "FROM BASE\nCOPY --from=7 /x /x\n",
            words: ["Dockerfile:2", "7"]),
        BadInput(
            testDescription: "a stage that copies from itself",
            dockerfile: "FROM BASE AS one\nCOPY --from=one /x /x\n", words: ["Dockerfile:2", "one"]),
        BadInput(
            testDescription: "stages that need each other",
            dockerfile: "FROM BASE AS one\nCOPY --from=two /x /x\nFROM one AS two\n",
            words: ["Dockerfile:2", "two"]),
        BadInput(
            testDescription: "no FROM", dockerfile: "RUN true\n", words: ["Dockerfile:1", "FROM"]),
        BadInput(
            testDescription: "nothing at all", dockerfile: "\n", words: ["Dockerfile"]),
        BadInput(
            testDescription: "a USER that the image does not know",
            dockerfile: "FROM BASE\nUSER nobody-here\nRUN true\n", status: 1,
            words: ["Dockerfile:3", "nobody-here"]),
        BadInput(
            testDescription: "a program that the image does not have",
            dockerfile: "FROM BASE\nRUN [\"/no/such\"]\n", status: 1,
            words: ["Dockerfile:2", "/no/such"]),
    ]
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A build that can't be` {
    @Test(arguments: BadInput.all)
    func `says what, where and why, and writes nothing`(bad: BadInput) throws {
        let lichen = try LichenProgram()
        let base = try Bases.busybox()
        let kept = try BuildFolder("FROM \(base)\n")
        try lichen.build(kept, ["-t", "kept:1"]).run().required()
        let before = lichen.index
        let folder = try BuildFolder(
            bad.dockerfile.replacing("BASE", with: base).replacing(
                "HOST", with: Bases.registry().host))
        try Command(["ln", "-s", "/etc", folder.path + "/out"]).run().required()
        let results = try TemporaryDirectory()
        let outcome = try lichen.build(
            folder,
            [
                "-t", "bad:1", "--iidfile", results.path("id"), "--metadata-file",
                results.path("metadata"),
                "-o", "type=oci,dest=\(results.path("image.tar"))", "-o",
                "type=local,dest=\(results.path("tree"))",
            ] + bad.arguments
        ).run()
        #expect(outcome.status == bad.status, "\(outcome)")
        #expect(outcome.output.isEmpty)
        for word in bad.words { #expect(outcome.error.contains(word), "\(outcome)") }
        #expect(outcome.error.contains("rror: "))
        #expect(lichen.index == before)
        #expect(lichen.work.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: results.path) == [])
    }

    @Test func `has no Dockerfile`() throws {
        let lichen = try LichenProgram()
        let empty = try TemporaryDirectory()
        let outcome = try lichen.run(["build", empty.path])
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("neither a Dockerfile nor a Containerfile"))
        let named = try lichen.run(["build", "-f", empty.path("Dockerfile.dev"), empty.path])
        #expect(named.status == 65)
        #expect(named.error.contains("Dockerfile.dev"))
        let nowhere = try lichen.run(["build", empty.path("context")])
        #expect(nowhere.status == 65)
        #expect(lichen.index.isEmpty)
    }

    /// What needs no other id is built without subordinate ids; what needs one says which, and what gives it.
    @Test(arguments: [
        (run: "RUN chown 33:44 /tmp", status: Int32(1), words: "uid 33 and gid 44"),
        ("USER 33\nRUN true", 71, "id 33"),
    ])
    func `lacks subordinate ids`(run: String, status: Int32, words: String) throws {
        let lichen = try LichenProgram()
        // In a namespace with this user alone it is root, and /etc/subuid has no line for root.
        func build(_ text: String, _ arguments: [String] = []) throws -> Command.Outcome {
            let folder = try BuildFolder("FROM \(Bases.busybox())\n\(text)\n")
            var command = lichen.build(folder, arguments)
            command.arguments = ["unshare", "--map-root-user"] + command.arguments
            return try command.run()
        }
        let built = try build("RUN true")
        #expect(built.isSuccess && built.error.contains("/etc/subuid"), "\(built)")
        let outcome = try build(run, ["-t", "bad:1"])
        #expect(outcome.status == status, "\(outcome)")
        #expect(outcome.error.contains(words), "\(outcome)")
        #expect(outcome.error.contains("usermod --add-subuids"))
        #expect(!outcome.error.contains("lichen worker"))
        #expect(!String(decoding: lichen.index, as: UTF8.self).contains("bad"))
        #expect(lichen.work.isEmpty)
        let refused = try build("RUN true", ["--ids", "subordinate"])
        #expect(refused.status == 71 && refused.error.contains("/etc/subuid"), "\(refused)")
    }
}
