import FoundationEssentials
import Synchronization
import TestSupport
import Testing

/// What a build does beside its steps, and must not be seen in what it gives.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `What goes on beside a step` {
    /// A registry that keeps what comes in one piece, and refuses chunks.
    private final class WholeBlobRegistry: Sendable {
        let blobs = Mutex<[String: Int]>([:])
        let refused = Mutex(0)

        func answer(_ request: ScriptedServer.Request) -> [ScriptedServer.Step] {
            let last = request.target.split(separator: "/").last.map(String.init) ?? ""
            switch request.method {
            case "POST": return [.answer(202, ["Location": "/v2/a/blobs/uploads/one"])]
            case "PATCH":
                refused.withLock { $0 += 1 }
                return [.answer(405)]
            case "PUT":
                guard let digest = last.split(separator: "=").last, last.contains("digest=") else {
                    return [.answer(201)]
                }
                let name = String(digest).replacing("%3A", with: ":")
                blobs.withLock { $0[name] = request.body.count }
                return [.answer(201)]
            case "HEAD":
                guard let size = blobs.withLock({ $0[last] }) else { return [.answer(404)] }
                return [.answer(200, ["Content-Length": "\(size)"])]
            default: return [.answer(200)]
            }
        }
    }

    /// Bytes that no compression shortens.
    private func noise(_ folder: BuildFolder, megabytes: Int) throws {
        try Command([
            "sh", "-c", "head -c \(megabytes)000000 /dev/urandom > \(folder.path)/big",
        ]).run().required()
    }

    @Test func `a layer goes whole to a registry that refuses it piece by piece`() throws {
        let registry = WholeBlobRegistry()
        let server = try ScriptedServer { registry.answer($0) }
        let folder = try BuildFolder("FROM scratch\nCOPY big /\n")
        try noise(folder, megabytes: 40)
        let lichen = try LichenProgram()
        let name = "\(server.host)/a:1"
        let outcome = try lichen.build(folder, ["-t", name, "--push"]).run().required()
        let sizes = registry.blobs.withLock { $0.values.sorted() }
        // The config and the layer; a chunk was tried at least once.
        #expect(sizes.count == 2 && (sizes.last ?? 0) > 40_000_000, "\(sizes) \(outcome)")
        #expect(registry.refused.withLock { $0 } > 0)
        #expect(lichen.work.isEmpty)
    }

    @Test func `a large layer arrives as it is in the store`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "FROM \(Bases.busybox())\nRUN head -c 40000000 /dev/urandom > /big\n")
        let name = try newName()
        let outcome = try lichen.build(folder, ["-t", name, "--push"]).run().required()
        let built = try Built(name, outcome, baseLayers: 1, lichen)
        #expect(built.onlyLayer.entry("big")?.size == 40_000_000)
    }

    /// Proves that the tree of a COPY is made while it is packed: nobody opens its blob again.
    @Test(.enabled(if: TestHost.has(["strace"])), arguments: ["overlay", "copy"])
    func `the layer of a COPY is not read back for a RUN`(snapshotter: String) throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            """
            FROM \(Bases.busybox())
            COPY --chmod=640 file /a/file
            WORKDIR /b
            COPY file /b/
            RUN test "$(cat /a/file /b/file; stat -c %a /a/file)" = "$(printf 'words\\nwords\\n640')"
            """, ["file": "words\n"])
        let trace = folder.path + ".trace"
        defer { TestHost.remove(trace) }
        // Who is traced has no use of set-user-id helpers.
        var command = lichen.command(
            ["build", "--progress", "rawjson", "--ids", "single", "--snapshotter", snapshotter]
                + [folder.path])
        command.arguments =
            ["strace", "-f", "-o", trace, "-e", "trace=openat2"] + command.arguments
        let outcome = try command.run().required()
        let layers = try ProgressSchema().lines(outcome.error).filter { $0.event == "layer" }
        let calls = String(
            decoding: try Data(contentsOf: URL(filePath: trace)), as: UTF8.self)
        // The unpacker reads what was pulled, by its path below the store.
        #expect(calls.contains("\"blobs/sha256/"), "the test's own control")
        let copies = layers.filter { [2, 4].contains($0.integer("line")) }
        #expect(copies.count == 2, "\(layers)")
        for layer in copies {
            let digest = try #require(layer.text("digest")).dropFirst("sha256:".count)
            let opened = calls.ranges(of: "\"blobs/sha256/\(digest)\"").count
            #expect(opened == 0, "\(layer) is opened \(opened) times")
        }
    }

    @Test func `a worker that was not needed leaves nothing`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN echo one > /one\n")
        let first = try lichen.build(folder).run().required()
        // Another Dockerfile, and the same steps.
        try folder.write("Dockerfile", "# words\nFROM \(Bases.busybox())\nRUN echo one > /one\n")
        for _ in 0..<3 {
            let again = try lichen.build(folder).run().required()
            #expect(again.text == first.text)
            #expect(again.error.contains("1 step, 1 cached"), "\(again.error)")
            // One that takes longer to start than it is waited for is swept up by the next.
            #expect(lichen.work.isEmpty || again.duration > .seconds(1), "\(lichen.work)")
        }
        // What can't be planned, after the worker has begun.
        try folder.write("Dockerfile", "FROM \(Bases.registry().host)/nothere:1\nRUN true\n")
        let failed = try lichen.build(folder).run()
        #expect(!failed.isSuccess)
        #expect(lichen.work.isEmpty || failed.duration > .seconds(1), "\(lichen.work)")
    }
}
