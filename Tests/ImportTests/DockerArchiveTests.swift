import Build
import OCI
import Store
import Testing

@Suite struct `A base from a docker archive` {
    let shop: Workshop

    init() throws { shop = try Workshop() }

    private func archive(_ text: String, tags: [String], to name: String) async throws {
        let other = try Store(path: shop["other"])
        let path = shop[name]
        _ = try await shop.build(
            "FROM scratch\nCOPY base.txt /\nCOPY base.txt /again.txt\nENV NAME=\(text)\n",
            ["base.txt": text], in: other
        ) { request in
            request.tags = tags.map { try! Reference(parsing: $0) }
            request.outputs = [ImageOutput(kind: .docker, destination: .path(path), isTar: true)]
        }
    }

    private let expected = ["base.txt": "one", "again.txt": "one"]

    @Test func `of ours is read, by name, by tag and alone`() async throws {
        try await archive("one", tags: ["example.org/x:1"], to: "a.tar")
        for selector in [nil, StoredImage.Selector.name("example.org/x:1"), .name("1")] {
            let files = try await shop.files(
                of: "FROM base\n", ["base": .stored(.dockerArchive, shop["a.tar"], selector)])
            #expect(files == expected)
        }
        let error = await shop.refusal(of: .stored(.dockerArchive, shop["a.tar"], .name("2")))
        #expect(
            error?.message.contains("no image is called 2; there is example.org/x:1") == true,
            "\(error as Any)")
    }

    @Test func `of skopeo, with plain layers, is read, packed too`() async throws {
        try await archive("one", tags: ["x:1"], to: "a.tar")
        let copied = Tool.run(
            "skopeo", "copy", "docker-archive:\(shop["a.tar"])",
            "docker-archive:\(shop["b.tar"]):example.org/y:2")
        #expect(copied.status == 0, "\(copied.text)")
        #expect(Tool.run("zstd", "-q", shop["b.tar"]).status == 0)
        for name in ["b.tar", "b.tar.zst"] {
            let files = try await shop.files(
                of: "FROM base\n",
                ["base": .stored(.dockerArchive, shop[name], .name("example.org/y:2"))])
            #expect(files == expected)
        }
    }

    @Test func `is read once into the store`() async throws {
        try await archive("one", tags: ["x:1"], to: "a.tar")
        let base = NamedContext.stored(.dockerArchive, shop["a.tar"])
        let first = try await shop.build("FROM base\nLABEL a=b\n") {
            $0.namedContexts = ["base": base]
        }
        let count = try shop.store.allBlobs().count
        let second = try await shop.build("FROM base\nLABEL a=b\n") {
            $0.namedContexts = ["base": base]
        }
        #expect(first.manifest == second.manifest)
        #expect(try shop.store.allBlobs().count == count)
    }

    /// Unpacks an archive, changes it, and packs it again.
    private func changed(_ change: (String) throws -> Void) async throws -> NamedContext {
        try await archive("one", tags: ["x:1"], to: "a.tar")
        let plain = Tool.run(
            "skopeo", "copy", "docker-archive:\(shop["a.tar"])",
            "docker-archive:\(shop["b.tar"]):x:1")
        #expect(plain.status == 0, "\(plain.text)")
        let tree = shop["tree"]
        #expect(Tool.run("mkdir", tree).status == 0)
        #expect(Tool.run("tar", "xf", shop["b.tar"], "-C", tree).status == 0)
        #expect(Tool.run("chmod", "-R", "u+w", tree).status == 0)
        try change(tree)
        #expect(Tool.run("tar", "cf", shop["c.tar"], "-C", tree, ".").status == 0)
        return .stored(.dockerArchive, shop["c.tar"])
    }

    @Test func `packed by another tar, its names with dots, is read`() async throws {
        let base = try await changed { _ in }
        #expect(try await shop.files(of: "FROM base\n", ["base": base]) == expected)
    }

    @Test func `whose layer is another is refused`() async throws {
        let base = try await changed { tree in
            let layer = Tool.run("sh", "-c", "ls -S \(tree)/*.tar | head -1").lines[0]
            #expect(Tool.run("tar", "cf", layer, "-C", tree, "manifest.json").status == 0)
        }
        let error = await shop.refusal(of: base)
        #expect(error?.category == .input)
        #expect(error?.message.contains("has the digest") == true, "\(error as Any)")
    }

    @Test func `whose layers lie elsewhere is refused`() async throws {
        let base = try await changed { tree in
            let text = try contents("\(tree)/manifest.json")
            let digest = "sha256:" + String(repeating: "b", count: 64)
            let source =
                #""LayerSources":{"\#(digest)":{"mediaType":"#
                + #""application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"\#(digest)","#
                + #""size":1,"urls":["https://example.org/l"]}},"Config""#
            try write(text.replacing("\"Config\"", with: source), to: "\(tree)/manifest.json")
        }
        let error = await shop.refusal(of: base)
        #expect(error?.message.contains("a URL elsewhere does") == true, "\(error as Any)")
    }

    @Test func `of the time before Docker 1_10 is refused, and says so`() async throws {
        let base = try await changed { tree in
            #expect(Tool.run("mv", "\(tree)/manifest.json", "\(tree)/repositories").status == 0)
        }
        let error = await shop.refusal(of: base)
        #expect(error?.message.contains("manifest.json is missing") == true)
        #expect(error?.hint?.contains("before Docker 1.10") == true)
    }

    @Test func `with two files of one name is refused`() async throws {
        try await archive("one", tags: ["x:1"], to: "a.tar")
        try write("[]", to: shop["manifest.json"])
        let added = Tool.run("tar", "rf", shop["a.tar"], "-C", shop.path, "manifest.json")
        #expect(added.status == 0, "\(added.text)")
        let error = await shop.refusal(of: .stored(.dockerArchive, shop["a.tar"]))
        #expect(error?.message.contains("it has manifest.json twice") == true, "\(error as Any)")
    }

    @Test func `that is cut off is refused`() async throws {
        try await archive("one", tags: ["x:1"], to: "a.tar")
        #expect(Tool.run("truncate", "-s", "2000", shop["a.tar"]).status == 0)
        let error = await shop.refusal(of: .stored(.dockerArchive, shop["a.tar"]))
        #expect(error?.category == .input)
        #expect(error?.message.contains("docker-archive://") == true, "\(error as Any)")
    }
}
