import OCI
import Testing

/// `D` and a digit stand for a digest.
private func json(_ text: String) -> [UInt8] {
    var text = text
    for digit in 0...9 {
        let digest = "\"sha256:" + String(repeating: "\(digit)", count: 64) + "\""
        text = text.split(separator: "D\(digit)", omittingEmptySubsequences: false).joined(
            separator: digest)
    }
    return Array(text.utf8)
}

private let configDescriptor =
    #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":D1,"size":7}"#
private let layerDescriptor =
    #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":D2,"size":9}"#

@Suite struct `A manifest` {
    @Test func `is written the same way each time`() throws {
        let bytes = json(
            #"{"annotations":{"a/b":"ü<>&","z":""},"config":\#(configDescriptor),"layers":[\#(layerDescriptor)],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#
        )
        let manifest = try Manifest(decoding: bytes)
        #expect(manifest.layers.map(\.size) == [9])
        let again = manifest.encoded()
        #expect(try Manifest(decoding: again) == manifest)
        #expect(again == manifest.encoded())
        #expect(
            String(decoding: again, as: UTF8.self).hasPrefix(
                #"{"annotations":{"a/b":"ü<>&","z":""},"#))
        #expect(!again.contains(UInt8(ascii: "\n")) && !again.contains(UInt8(ascii: " ")))
    }

    @Test func `may leave its lists null and its type unsaid`() throws {
        let bytes = json(
            #"{"schemaVersion":2,"config":\#(configDescriptor),"layers":null,"annotations":null}"#)
        #expect(try Manifest(decoding: bytes).layers.isEmpty)
        #expect(
            try Manifest(decoding: bytes, contentType: .dockerManifest).mediaType == .dockerManifest
        )
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var text: String
        var contentType: MediaType?
        var problem: DocumentError.Problem
        var testDescription: String { "\(problem)" }
    }

    @Test(arguments: [
        Refusal(text: "", problem: .malformed(path: "", reason: "not JSON")),
        Refusal(text: "[]", problem: .malformed(path: "", reason: "of the wrong type")),
        Refusal(
            text: String(repeating: "[", count: 100_000),
            problem: .malformed(path: "", reason: "not JSON")),
        Refusal(text: "{}", problem: .missing(path: "schemaVersion")),
        Refusal(text: #"{"schemaVersion":2}"#, problem: .missing(path: "config")),
        Refusal(text: #"{"schemaVersion":3,"layers":[]}"#, problem: .unsupportedSchema(3)),
        Refusal(text: #"{"schemaVersion":1,"fsLayers":[]}"#, problem: .schema1),
        Refusal(
            text: #"{"schemaVersion":2,"config":\#(configDescriptor),"layers":[],"manifests":[]}"#,
            problem: .ambiguous),
        Refusal(
            text: #"{"schemaVersion":2,"layers":[],"Layers":[]}"#, problem: .duplicateKey("Layers")),
        Refusal(
            text: #"{"schemaVersion":2,"config":{"size":1,"s\u0069ze":2}}"#,
            problem: .duplicateKey("size")),
        Refusal(
            text: #"{"schemaVersion":2,"manifests":[]}"#, problem: .unexpectedKind(found: .index)),
        Refusal(
            text: #"{"schemaVersion":2,"config":\#(configDescriptor),"layers":[{}]}"#,
            problem: .missing(path: "layers[0].mediaType")),
        Refusal(
            text:
                #"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:0","size":7}}"#,
            problem: .malformed(path: "config.digest", reason: "not a sha256 digest")),
        Refusal(
            text: #"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":D1,"size":-1}}"#,
            problem: .malformed(path: "config.size", reason: "a negative size")),
        Refusal(
            text: #"{"schemaVersion":2,"config":{"mediaType":"a\u001b/b","digest":D1,"size":1}}"#,
            problem: .malformed(path: "config.mediaType", reason: "not a media type")),
        Refusal(
            text:
                #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":\#(configDescriptor),"layers":[]}"#,
            problem: .mediaTypeMismatch(stated: .index, expected: "its content, an image manifest")),
        Refusal(
            text:
                #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\#(configDescriptor)}"#,
            contentType: .dockerManifest,
            problem: .mediaTypeMismatch(
                stated: .manifest, expected: "the announced \(MediaType.dockerManifest)")),
        Refusal(
            text: #"{"schemaVersion":2,"config":\#(configDescriptor)}"#, contentType: .dockerIndex,
            problem: .mediaTypeMismatch(
                stated: .dockerIndex, expected: "its content, an image manifest")),
        Refusal(
            text:
                #"{"schemaVersion":2,"config":\#(configDescriptor),"layers":[\#(Array(repeating: layerDescriptor, count: 1025).joined(separator: ","))]}"#,
            problem: .tooMany(path: "layers", count: 1025, limit: 1024)),
    ])
    func `is refused where readers could disagree`(item: Refusal) {
        #expect { try Manifest(decoding: json(item.text), contentType: item.contentType) } throws: {
            ($0 as? DocumentError)?.problem == item.problem
        }
    }

    @Test func `is refused beyond its limit before it is read`() {
        let bytes = [UInt8](repeating: UInt8(ascii: " "), count: DocumentLimits.manifestBytes + 1)
        #expect(
            throws: DocumentError(
                .manifest, .tooLarge(bytes: bytes.count, limit: DocumentLimits.manifestBytes))
        ) { try Manifest(decoding: bytes) }
    }
}

@Suite struct `An index` {
    @Test func `is read with its platforms`() throws {
        let index = try Index(
            decoding: json(
                #"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":D3,"size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8","os.features":null}}]}"#
            ))
        #expect(index.descriptor(for: try Platform(parsing: "linux/arm64"))?.size == 1)
        #expect(index.mediaType == .index)
        #expect(try Index(decoding: index.encoded()) == index)
    }
}

@Suite struct `An image config` {
    @Test func `is read from Docker's form, with nulls and old spellings`() throws {
        let config = try ImageConfig(
            decoding: json(
                #"{"architecture":"amd64","os":"linux","created":"2024-05-06T07:08:09.5Z","docker_version":"1","container_config":{"Cmd":null},"config":{"User":"","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":"/bin/sh","Cmd":null,"Volumes":null,"Labels":null,"OnBuild":null,"Healthcheck":{"Test":["CMD","x"],"Interval":1500000000,"Retries":3}},"rootfs":{"type":"layers","diff_ids":[D4]},"history":[{"created_by":"x","empty_layer":true},{"created":null}]}"#
            ))
        #expect(config.config.entrypoint == ["/bin/sh"])
        #expect(config.config.exposedPorts == ["80/tcp"])
        #expect(config.config.healthcheck?.interval == .milliseconds(1500))
        #expect(config.history.map(\.emptyLayer) == [true, false])
        #expect(config.diffIDs.count == 1)
        #expect(config.platform.description == "linux/amd64")
        #expect(try ImageConfig(decoding: config.encoded()) == config)
    }

    @Test func `is written in sorted keys without what is empty`() {
        var config = ImageConfig(platform: Platform(os: "linux", architecture: "amd64"))
        config.created = Timestamp(secondsSinceEpoch: 0)
        config.config.env = ["PATH=/bin"]
        config.config.exposedPorts = ["81/tcp", "80/tcp"]
        config.config.labels = ["b": "2", "a": "1"]
        config.config.volumes = ["/data"]
        config.config.stopSignal = "SIGQUIT"
        config.history = [History(createdBy: "ENV PATH=/bin", emptyLayer: true)]
        #expect(
            String(decoding: config.encoded(), as: UTF8.self)
                == #"{"architecture":"amd64","config":{"Env":["PATH=/bin"],"ExposedPorts":{"80/tcp":{},"81/tcp":{}},"Labels":{"a":"1","b":"2"},"StopSignal":"SIGQUIT","Volumes":{"/data":{}}},"created":"1970-01-01T00:00:00Z","history":[{"created_by":"ENV PATH=/bin","empty_layer":true}],"os":"linux","rootfs":{"diff_ids":[],"type":"layers"}}"#
        )
    }

    @Test func `is refused for a manifest with another number of layers`() {
        let config = ImageConfig(platform: .host)
        let descriptor = Descriptor(
            mediaType: .layer, digest: Digest(sha256: Array(repeating: 0, count: 32)), size: 1)
        let manifest = Manifest(config: descriptor, layers: [descriptor])
        #expect(throws: DocumentError(.config, .layerCount(manifest: 1, config: 0))) {
            try ImageConfig(decoding: config.encoded(), of: manifest)
        }
    }

    @Test(arguments: [
        #"{"rootfs":{"type":"base","diff_ids":[]}}"#, #"{"os":"linux"}"#,
        #"{"rootfs":{"type":"layers"},"created":"yesterday"}"#,
        #"{"rootfs":{"type":"layers"},"config":{"Cmd":7}}"#,
        #"{"rootfs":{"type":"layers"},"config":{"Labels":{"a":"1","a":"2"}}}"#,
    ])
    func `is refused where it makes no sense`(text: String) {
        #expect(throws: DocumentError.self) { try ImageConfig(decoding: json(text)) }
    }
}

@Suite struct `A media type` {
    @Test(arguments: [
        ("application/vnd.oci.image.layer.v1.tar", LayerCompression.none, false),
        ("application/vnd.oci.image.layer.v1.tar+gzip", .gzip, false),
        ("application/vnd.oci.image.layer.v1.tar+zstd", .zstd, false),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", .gzip, true),
        ("application/vnd.docker.image.rootfs.diff.tar", .none, false),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", .gzip, false),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", .gzip, true),
    ])
    func `of a layer says how it is compressed and where it lies`(
        name: String, compression: LayerCompression, nondistributable: Bool
    ) {
        let type = MediaType(rawValue: name)
        #expect(type.isLayer)
        #expect(type.compression == compression)
        #expect(type.isNondistributable == nondistributable)
    }

    @Test(arguments: [
        "application/vnd.oci.image.layer.v1.tar+encrypted",
        "application/vnd.oci.image.layer.v1.targzip",
        "application/vnd.oci.image.config.v1+json",
    ])
    func `of something else is no layer`(name: String) {
        #expect(!MediaType(rawValue: name).isLayer)
    }

    @Test func `is read from a header`() {
        #expect(
            MediaType(contentType: " Application/vnd.oci.image.INDEX.v1+json ; charset=utf-8")
                == .index)
    }
}
