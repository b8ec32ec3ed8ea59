import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `An unchanged build` {
    /// A registry of its own, so that every request in its log is this test's; and the base in it.
    private func ownRegistry() throws -> (LocalRegistry, base: String) {
        let registry = try LocalRegistry()
        let base = "\(registry.host)/base:1"
        try Command([
            "skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false",
            "docker://\(Bases.busybox())", "docker://\(base)",
        ]).run().required()
        return (registry, base)
    }

    /// Requests that the registry logged: `METHOD /path`.
    private func requests(_ registry: LocalRegistry) throws -> [String] {
        try registry.settledLog().split(separator: "\n").compactMap { line in
            guard line.hasPrefix("127.0.0.1 "), let first = line.firstIndex(of: "\"") else {
                return nil
            }
            return line[line.index(after: first)...].split(separator: " ").prefix(2).joined(
                separator: " ")
        }
    }

    private func folder(_ base: String) throws -> BuildFolder {
        try BuildFolder(
            """
            FROM \(base)
            COPY file /file
            WORKDIR /work
            RUN echo one > one
            ENV A=b
            RUN echo two > two
            """, ["file": "content"])
    }

    @Test func `asks once for its tag, moves no blob and starts no process`() throws {
        let (registry, base) = try ownRegistry()
        let lichen = try LichenProgram()
        let folder = try folder(base)
        let first = try lichen.build(folder).run().required()
        let before = try requests(registry).count
        #expect(before > 0, "the test's own control")
        var command = lichen.build(folder)
        let trace = folder.path + ".trace"
        if TestHost.has(["strace"]) {
            command.arguments =
                [
                    "strace", "-f", "-o", trace, "-e",
                    "trace=clone,clone3,unshare,execve,mount,setns",
                ]
                + command.arguments
        }
        let second = try command.run().required()
        defer { TestHost.remove(trace) }
        #expect(second.output == first.output)
        #expect(
            second.error.contains("5 cached") || second.error.contains("4 cached"),
            "\(second.error)")
        #expect(second.error.contains("0 B down, 0 B up"))
        let asked = try requests(registry).dropFirst(before)
        #expect(asked.count == 1, "\(asked)")
        #expect(asked.first?.contains("/v2/base/manifests/1") == true)
        let calls = String(
            decoding: (try? Data(contentsOf: URL(filePath: trace))) ?? Data(), as: UTF8.self)
        #expect(calls.isEmpty || calls.components(of: "execve(") == 1, "\(calls)")
        #expect(!calls.contains("CLONE_NEW") && !calls.contains("mount("))
    }

    @Test func `is pushed again with one request for its name and no blob`() throws {
        let (registry, base) = try ownRegistry()
        let lichen = try LichenProgram()
        let folder = try folder(base)
        let options = ["-t", "\(registry.host)/pushed:1", "--push"]
        try lichen.build(folder, options).run().required()
        let before = try requests(registry).count
        let second = try lichen.build(folder, options).run().required()
        #expect(second.error.contains("0 B down, 0 B up"))
        let asked = try requests(registry).dropFirst(before)
        #expect(asked.count <= 2, "\(asked)")
        #expect(!asked.contains { $0.contains("/blobs/") }, "\(asked)")
    }

    @Test func `needs no registry at all with --pull never`() throws {
        let lichen = try LichenProgram()
        let folder: BuildFolder
        let first: Command.Outcome
        do {
            let (registry, base) = try ownRegistry()
            folder = try self.folder(base)
            first = try lichen.build(folder).run().required()
            withExtendedLifetime(registry) {}
        }
        let second = try lichen.build(folder, ["--pull", "never"]).run().required()
        #expect(second.output == first.output)
    }

    @Test func `is answered quickly`() throws {
        let (registry, base) = try ownRegistry()
        let lichen = try LichenProgram()
        let folder = try folder(base)
        try lichen.build(folder).run().required()
        let outcomes = try (0..<9).map { _ in try lichen.build(folder).run().required() }
        let times = outcomes.map(\.duration).sorted()
        print("a cached build: median \(times[4]), fastest \(times[0])")
        if TestHost.isReleaseBuild {
            // By this machine's own measure, where it is slow or has much else to do.
            let start = try (0..<9).map { _ in try lichen.run(["version"]).required().duration }
                .min()!
            #expect(times[0] < max(.milliseconds(100), start * 25))
        }
        withExtendedLifetime(registry) {}
    }

    @Test(arguments: ["RUN echo x > /x", "COPY file /x", "ENV X=1\nRUN echo > /x"])
    func `is made anew from where it changed`(instruction: String) throws {
        let lichen = try LichenProgram()
        let base = try Bases.busybox()
        let first = try BuildFolder(
            "FROM \(base)\nRUN echo > /kept\n\(instruction)\n", ["file": "1"])
        try lichen.build(first).run().required()
        let changed = try BuildFolder(
            "FROM \(base)\nRUN echo > /kept\n\(instruction.replacing("X=1", with: "X=2").replacing("echo x", with: "echo y"))\n",
            ["file": "2"])
        let outcome = try lichen.build(changed).run().required()
        #expect(
            outcome.error.contains("1 cached") || outcome.error.contains("2 cached"),
            "\(outcome.error)")
        #expect(!outcome.error.contains("2 steps, 2 cached"))
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `The same build in another store` {
    @Test func `gives the same digest, with one job and with many`() throws {
        let text = """
            FROM \(try Bases.busybox()) AS one
            RUN mkdir -p /a/b && seq 100000 > /a/b/numbers && ln /a/b/numbers /a/link && mkfifo /a/pipe
            FROM \(try Bases.busybox()) AS two
            WORKDIR /w
            RUN for i in 9 3 7 1; do echo $i > f$i; done; rm /etc/group
            FROM \(try Bases.busybox())
            COPY --from=one /a /a
            COPY --from=two /w /w
            COPY file dir /d/
            RUN chown -R work:extra /d && touch -d @1 /a/b/numbers
            """
        let files = ["file": "content", "dir/x": "y"]
        let environment = ["SOURCE_DATE_EPOCH": "1700000000"]
        var digests: Set<String> = []
        for jobs in ["1", "2", "8"] {
            let built = try buildWhole(
                text, files: files, baseLayers: 1, ["--jobs", jobs], environment: environment)
            digests.insert(built.image.manifest.digest)
            for entry in built.newLayers.flatMap(\.entries) {
                #expect(entry.modified <= 1_700_000_000)
            }
            usleep(1_100_000)
        }
        #expect(digests.count == 1)
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `An image of 200 layers` {
    @Test func `is built, and a step runs on top`() throws {
        let lichen = try LichenProgram()
        let copies = (1...199).map { "COPY f /many/f\($0)" }.joined(separator: "\n")
        let built = try build(
            "\(copies)\nRUN ls /many | wc -l > /count && rm /many/f1", files: ["f": "x"],
            with: lichen)
        #expect(built.newLayers.count == 200)
        #expect(built.newLayers.last?.entry("count")?.content == "199%0A")
        #expect(built.newLayers.last?.entry("many/.wh.f1") != nil)
        // As a base that has to be fetched and unpacked.
        let top = try build("RUN ls /many | wc -l > /count", base: built.name, baseLayers: 201)
        #expect(top.onlyLayer.entry("count")?.content == "198%0A")
    }
}

extension String {
    fileprivate func components(of word: String) -> Int { ranges(of: word).count }
}
