import Build
import OCI
import Store
import Testing

@Suite struct `A base from an OCI layout` {
    let shop: Workshop

    init() throws { shop = try Workshop() }

    /// Makes an image with one file in a store of its own, and writes it out.
    private func image(
        _ text: String, _ kind: ImageOutput.Kind, to name: String, tag: String? = nil,
        isTar: Bool = false, encoding: LayerEncoding = .standard
    ) async throws -> BuildResult {
        let other = try Store(path: shop["other"])
        let path = shop[name]
        return try await shop.build(
            "FROM scratch\nCOPY base.txt /\nENV NAME=\(text)\n", ["base.txt": text], in: other
        ) { request in
            request.tags = tag.map { [try! Reference(parsing: $0)] } ?? []
            request.layerEncoding = encoding
            request.outputs = [ImageOutput(kind: kind, destination: .path(path), isTar: isTar)]
        }
    }

    @Test func `is the only image, or the one that its tag or its digest names`() async throws {
        let one = try await image("one", .oci, to: "layout", tag: "x:1")
        let layout = shop["layout"]
        #expect(
            try await shop.files(of: "FROM base\n", ["base": .stored(.ociLayout, layout)])
                == ["base.txt": "one"])
        let two = try await image("two", .oci, to: "layout", tag: "x:2")
        for (selector, text) in [
            (StoredImage.Selector.name("1"), "one"), (.name("2"), "two"), (.name("x:2"), "two"),
            (.name("docker.io/library/x:1"), "one"), (.digest(one.manifest.digest), "one"),
            (.digest(two.manifest.digest), "two"),
        ] {
            let files = try await shop.files(
                of: "FROM base\n",
                ["base": .stored(.ociLayout, layout, selector)])
            #expect(files["base.txt"] == text)
        }
        let error = await shop.refusal(of: .stored(.ociLayout, layout))
        #expect(error?.category == .input)
        #expect(error?.message.contains("several images: 1, 2") == true, "\(error as Any)")
        let unknown = await shop.refusal(of: .stored(.ociLayout, layout, .name("3")))
        #expect(unknown?.message.contains("no image is called 3; there is 1, 2") == true)
        #expect(unknown?.location == "Dockerfile:1")
    }

    @Test func `may be in a tar, packed too`() async throws {
        _ = try await image("one", .oci, to: "image.tar", tag: "x:1", isTar: true)
        #expect(Tool.run("gzip", "-k", shop["image.tar"]).status == 0)
        for name in ["image.tar", "image.tar.gz"] {
            let files = try await shop.files(
                of: "FROM base\n", ["base": .stored(.ociArchive, shop[name], .name("1"))])
            #expect(files == ["base.txt": "one"])
        }
    }

    @Test func `written by umoci or skopeo is read`() async throws {
        _ = try await image("one", .oci, to: "layout", tag: "x:1")
        let (layout, bundle) = (shop["layout"], shop["bundle"])
        let unpacked = Tool.run("umoci", "unpack", "--rootless", "--image", "\(layout):1", bundle)
        #expect(unpacked.status == 0, "\(unpacked.text)")
        try write("umoci", to: "\(bundle)/rootfs/added")
        let packed = Tool.run("umoci", "repack", "--image", "\(layout):new", bundle)
        #expect(packed.status == 0, "\(packed.text)")
        let files = try await shop.files(
            of: "FROM base\n", ["base": .stored(.ociLayout, layout, .name("new"))])
        #expect(files == ["base.txt": "one", "added": "umoci"])
        let copied = Tool.run(
            "skopeo", "copy", "oci:\(layout):new", "oci-archive:\(shop["a.tar"]):some/name:tag")
        #expect(copied.status == 0, "\(copied.text)")
        let again = try await shop.files(
            of: "FROM base\n",
            ["base": .stored(.ociArchive, shop["a.tar"], .name("some/name:tag"))])
        #expect(again == files)
    }

    @Test func `may have zstd layers`() async throws {
        let zstd = try #require(LayerEncoding(.zstd))
        let result = try await image("one", .oci, to: "layout", encoding: zstd)
        let files = try await shop.files(
            of: "FROM base\n", ["base": .stored(.ociLayout, shop["layout"])])
        #expect(files == ["base.txt": "one"])
        let manifest = try contents("\(shop["layout"])/blobs/sha256/\(result.manifest.digest.hex)")
        #expect(manifest.contains("vnd.oci.image.layer.v1.tar+zstd"))
        #expect(Tool.run("skopeo", "inspect", "oci:\(shop["layout"])").status == 0)
    }

    @Test func `of an index is the one for the platform`() async throws {
        let one = try await image("one", .oci, to: "layout", tag: "x:1")
        let arm = Platform(os: "linux", architecture: "arm64")
        let entry = Descriptor(
            mediaType: .manifest, digest: one.manifest.digest, size: one.manifest.size,
            platform: arm)
        let index = Index(manifests: [entry]).encoded()
        let text = String(decoding: index, as: UTF8.self)
        try write(text, to: shop["index"])
        let digest = String(Tool.run("sha256sum", shop["index"]).text.prefix(64))
        try write(text, to: "\(shop["layout"])/blobs/sha256/\(digest)")
        let base = NamedContext.stored(
            .ociLayout, shop["layout"], .digest(try #require(Digest("sha256:\(digest)"))))
        let files = try await shop.files(of: "FROM base\n", ["base": base]) { $0.platforms = [arm] }
        #expect(files == ["base.txt": "one"])
        let mips = Platform(os: "linux", architecture: "mips64le")
        let error = await shop.refusal(of: base, platform: mips)
        #expect(
            error?.message.contains("no image for linux/mips64le, but for linux/arm64") == true,
            "\(error as Any)")
    }

    @Test func `that is damaged is refused, and nothing of it is kept`() async throws {
        let result = try await image("one", .oci, to: "layout")
        let layout = shop["layout"]
        let manifest = try Manifest(
            decoding: Array(
                try contents("\(layout)/blobs/sha256/\(result.manifest.digest.hex)").utf8))
        let layer = manifest.layers[0].digest
        let blob = "\(layout)/blobs/sha256/\(layer.hex)"
        let good = "\(shop["good"])"
        #expect(Tool.run("cp", blob, good).status == 0)
        let size = Int(manifest.layers[0].size)
        try write(String(repeating: "x", count: size), to: blob)
        let wrong = await shop.refusal(of: .stored(.ociLayout, layout))
        #expect(
            wrong?.message.contains("oci-layout://\(layout): the content of \(layer)") == true,
            "\(wrong as Any)")
        #expect(try shop.store.size(ofBlob: layer) == nil)
        try write("short", to: blob)
        let short = await shop.refusal(of: .stored(.ociLayout, layout))
        #expect(short?.message.contains("has 5 bytes instead of \(size)") == true)
        #expect(Tool.run("rm", blob).status == 0)
        let missing = await shop.refusal(of: .stored(.ociLayout, layout))
        #expect(missing?.message.contains("blobs/sha256/\(layer.hex) is missing") == true)
        // A link that leads out is not followed, whatever is there.
        #expect(Tool.run("ln", "-s", good, blob).status == 0)
        #expect(await shop.refusal(of: .stored(.ociLayout, layout))?.category == .input)
        for error in [wrong, short, missing] { #expect(error?.category == .input) }
    }

    @Test(arguments: [
        (
            #"{"schemaVersion":1,"name":"x","tag":"y","fsLayers":[],"history":[]}"#,
            "Docker schema 1 is not supported"
        ),
        (
            #"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","#
                + #""digest":"sha256:\#(String(repeating: "a", count: 64))","size":2},"layers":[{"#
                + #""mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","#
                + #""digest":"sha256:\#(String(repeating: "b", count: 64))","size":1,"#
                + #""urls":["https://example.org/layer"]}]}"#,
            "is not in the image: registries do not hold it, a URL elsewhere does"
        ),
    ]) func `of a kind that is not read is refused`(manifest: String, reason: String) async throws {
        _ = try await image("one", .oci, to: "layout")
        try write(manifest, to: shop["manifest"])
        let hex = String(Tool.run("sha256sum", shop["manifest"]).text.prefix(64))
        try write(manifest, to: "\(shop["layout"])/blobs/sha256/\(hex)")
        let digest = try #require(Digest("sha256:\(hex)"))
        let error = await shop.refusal(of: .stored(.ociLayout, shop["layout"], .digest(digest)))
        #expect(error?.category == .input)
        #expect(error?.message.contains(reason) == true, "\(error as Any)")
    }

    @Test func `that is none is refused`() async throws {
        let directory = try shop.directory("directory", ["index.json": "{}"])
        let none = await shop.refusal(of: .stored(.ociLayout, directory))
        #expect(none?.message.contains("no OCI layout: oci-layout is missing") == true)
        let absent = await shop.refusal(of: .stored(.ociLayout, shop["absent"]))
        #expect(absent?.message.contains("no such file or directory") == true)
        let wrong = await shop.refusal(of: .stored(.ociArchive, directory))
        #expect(wrong?.message.contains("it is a directory") == true)
        for error in [none, absent, wrong] { #expect(error?.category == .input) }
    }
}
