import Build
import OCI
import Store
import Testing

@Suite struct `A named context` {
    let shop: Workshop

    init() throws { shop = try Workshop() }

    @Test func `that is a directory is copied from, without what it ignores`() async throws {
        let directory = try shop.directory(
            "files", ["a/b.txt": "b", "c.txt": "c", ".dockerignore": "c.txt\n.dockerignore\n"])
        let files = try await shop.files(
            of: "FROM scratch\nCOPY --from=files . /x/\n", ["files": .directory(directory)])
        #expect(files == ["x/a/b.txt": "b"])
    }

    @Test func `changes the key of a COPY with its files`() async throws {
        let directory = try shop.directory("files", ["a": "1"])
        let dockerfile = "FROM scratch\nCOPY --from=files a /\n"
        let contexts = ["files": NamedContext.directory(directory)]
        let first = try await shop.build(dockerfile) { $0.namedContexts = contexts }
        let second = try await shop.build(dockerfile) { $0.namedContexts = contexts }
        #expect(first.cachedCount == 0 && second.cachedCount == 1)
        try write("2", to: "\(directory)/a")
        let third = try await shop.build(dockerfile) { $0.namedContexts = contexts }
        #expect(third.cachedCount == 0)
    }

    @Test(arguments: ["stage", "0"])
    func `goes before a stage, which is not built`(from: String) async throws {
        let directory = try shop.directory("files", ["a": "context"])
        let dockerfile = """
            FROM nowhere.invalid/missing AS Stage
            COPY absent /
            FROM scratch
            COPY --from=\(from) a /
            """
        let files = try await shop.files(of: dockerfile, ["stage": .directory(directory)])
        #expect(files == ["a": "context"])
    }

    @Test func `goes before an image, whose name may be written at length`() async throws {
        let other = try Store(path: shop["other"])
        let layout = shop["layout"]
        _ = try await shop.build("FROM scratch\nCOPY a /\n", ["a": "layout"], in: other) {
            $0.outputs = [ImageOutput(kind: .oci, destination: .path(layout), isTar: false)]
        }
        let contexts = ["debian": NamedContext.stored(.ociLayout, layout)]
        for name in ["debian", "debian:latest", "docker.io/library/debian"] {
            let files = try await shop.files(of: "FROM \(name)\n", contexts)
            #expect(files == ["a": "layout"])
        }
        let error = await #expect(throws: BuildError.self) {
            try await shop.files(of: "FROM debian:12\n", contexts)
        }
        #expect(error?.message.contains("debian:12") == true)
    }

    @Test func `stands for a target and for the base of another stage`() async throws {
        let other = try Store(path: shop["other"])
        let layout = shop["layout"]
        _ = try await shop.build("FROM scratch\nCOPY a /\n", ["a": "layout"], in: other) {
            $0.outputs = [ImageOutput(kind: .oci, destination: .path(layout), isTar: false)]
        }
        let contexts = ["one": NamedContext.stored(.ociLayout, layout)]
        let dockerfile = "FROM scratch AS one\nCOPY missing /\nFROM one AS two\nLABEL a=b\n"
        #expect(try await shop.files(of: dockerfile, contexts) == ["a": "layout"])
        let target = try await shop.files(of: dockerfile, contexts) { $0.target = "one" }
        #expect(target == ["a": "layout"])
    }

    @Test func `that is an image of the store is found under its name`() async throws {
        _ = try await shop.build("FROM scratch\nCOPY a /\n", ["a": "stored"]) {
            $0.tags = [try! Reference(parsing: "mine:1")]
        }
        let reference = try Reference(parsing: "mine:1")
        let files = try await shop.files(of: "FROM base\n", ["base": .image(reference)])
        #expect(files == ["a": "stored"])
    }

    @Test func `that is a directory is no base`() async throws {
        let directory = try shop.directory("files", ["a": "1"])
        let error = await shop.refusal(of: .directory(directory))
        #expect(error?.category == .input && error?.location == "Dockerfile:1")
        #expect(error?.message.contains("is no image") == true)
    }

    @Test func `that is not there is an error, also where nothing uses it`() async throws {
        let error = await #expect(throws: BuildError.self) {
            try await shop.files(of: "FROM scratch\n", ["a": .directory(shop["absent"])])
        }
        #expect(error?.category == .input)
    }

    @Test func `that nothing uses is warned of`() async throws {
        let directory = try shop.directory("files", ["a": "1"])
        _ = try await shop.files(
            of: "FROM scratch\nCOPY --from=used a /\n",
            ["used": .directory(directory), "unused": .directory(directory)])
        #expect(
            shop.warnings == ["build context unused is not used: nothing has that name"])
    }
}

@Suite struct `The compression of new layers` {
    let shop: Workshop

    init() throws { shop = try Workshop() }

    private func layers(_ result: BuildResult) throws -> [Descriptor] {
        let bytes = try #require(try shop.store.document(result.manifest.digest))
        return try Manifest(decoding: bytes).layers
    }

    @Test func `is in their media types, and leaves their diff IDs alone`() async throws {
        let text = String(repeating: "lichen ", count: 100_000)
        var results: [LayerEncoding.Method: [Descriptor]] = [:]
        var configs: Set<Digest> = []
        for method in LayerEncoding.Method.allCases {
            let result = try await shop.build("FROM scratch\nCOPY a /\n", ["a": text]) {
                $0.layerEncoding = LayerEncoding(method, level: 9)!
                $0.usesCache = false
            }
            results[method] = try layers(result)
            configs.insert(try #require(result.config))
        }
        #expect(results[.gzip]?.map(\.mediaType) == [.layerGzip])
        #expect(results[.zstd]?.map(\.mediaType) == [.layerZstd])
        #expect(configs.count == 1)
    }

    @Test func `is no part of a step's key`() async throws {
        let first = try await shop.build("FROM scratch\nCOPY a /\n", ["a": "1"])
        let second = try await shop.build("FROM scratch\nCOPY a /\n", ["a": "1"]) {
            $0.layerEncoding = LayerEncoding(.zstd)!
        }
        #expect(second.cachedCount == 1 && second.manifest == first.manifest)
    }

    @Test func `has a level that changes the blob`() async throws {
        let text = (0..<20_000).map { "\($0 * 7919 % 1000) " }.joined()
        var digests: Set<Digest> = []
        for level in [1, 12] {
            let result = try await shop.build("FROM scratch\nCOPY a /\n", ["a": text]) {
                $0.layerEncoding = LayerEncoding(.gzip, level: level)!
                $0.usesCache = false
            }
            digests.insert(try layers(result)[0].digest)
        }
        #expect(digests.count == 2)
        #expect(LayerEncoding(.gzip, level: 13) == nil && LayerEncoding(.zstd, level: 0) == nil)
    }
}
