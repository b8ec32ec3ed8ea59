import HTTP
import OCI
import Registry
import SystemPackage
import TestSupport
import Testing

@Suite(
    .enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
struct `A client of a real registry` {
    let server: LocalRegistry
    let traffic = Traffic()
    let client: RegistryClient

    init() throws {
        server = try LocalRegistry()
        client = try RegistryClient(
            server.host, http: HTTPClient(), options: .impatient, observer: traffic)
    }

    /// A small image with all its blobs, pushed.
    private func pushImage(
        to repository: String, as name: ManifestName
    ) async throws -> (Manifest, Descriptor) {
        let layer = try TestBlob(TestBlob.noise(1000), .layer)
        let config = try TestBlob(ImageConfig(platform: .host).encoded(), .config)
        for blob in [layer, config] {
            try await client.pushBlob(blob.descriptor, from: blob.file, to: repository)
        }
        let manifest = Manifest(config: config.descriptor, layers: [layer.descriptor])
        let descriptor = try await client.pushManifest(
            manifest.encoded(), manifest.mediaType, to: repository, as: name)
        return (manifest, descriptor)
    }

    @Test(arguments: [0, 1, 3_000_000])
    func `pushes a blob and pulls it back`(size: Int) async throws {
        let blob = try TestBlob(TestBlob.noise(size))
        #expect(try await client.pushBlob(blob.descriptor, from: blob.file, to: "a/b") == .uploaded)
        #expect(try await client.findBlob(blob.descriptor.digest, in: "a/b") == Int64(size))
        let collector = Collector()
        try await client.pullBlob(blob.descriptor, from: "a/b") { collector.take($0) }
        #expect(collector.bytes == blob.bytes)
        #expect(
            traffic.totals
                == .init(
                    requests: ["HEAD", "POST", "PUT", "HEAD", "GET"],
                    received: traffic.totals.received, sent: size))
    }

    @Test func `pushes a blob in chunks from the middle of a file`() async throws {
        let inner = TestBlob.noise(250_001)
        let blob = try TestBlob(inner)
        let around = try TestBlob([1, 2, 3] + inner + [4])
        try await client.uploadBlob(
            blob.descriptor, from: around.file, offset: 3, to: "a/b", mode: .chunks(of: 100_000))
        let collector = Collector()
        try await client.pullBlob(blob.descriptor, from: "a/b") { collector.take($0) }
        #expect(collector.bytes == inner)
        #expect(traffic.totals.requests == ["POST", "PATCH", "PATCH", "PATCH", "PUT", "GET"])
    }

    @Test func `sends no blob that is there, and mounts one that is elsewhere`() async throws {
        let blob = try TestBlob(TestBlob.noise(5000))
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(try await client.pushBlob(blob.descriptor, from: blob.file, to: "a") == .present)
        #expect(
            try await client.pushBlob(
                blob.descriptor, from: blob.file, to: "b", mountingFrom: "a") == .mounted)
        #expect(
            try await client.pushBlob(
                blob.descriptor, from: blob.file, to: "c", mountingFrom: "nowhere") == .uploaded)
        #expect(try await client.findBlob(blob.descriptor.digest, in: "b") == 5000)
        #expect(traffic.totals.sent == 10000)
        #expect(try await client.mountBlob(blob.descriptor.digest, from: "c", into: "d"))
        let absent = Digest(sha256: Array(repeating: 7, count: 32))
        #expect(try await !client.mountBlob(absent, from: "c", into: "d"))
    }

    @Test func `pushes a manifest and pulls it by tag and by digest`() async throws {
        let (manifest, descriptor) = try await pushImage(to: "a/b", as: .tag("v1"))
        let before = traffic.totals.requests.count
        let byTag = try await client.manifest(.tag("v1"), in: "a/b")
        let byDigest = try await client.manifest(.digest(descriptor.digest), in: "a/b")
        #expect(traffic.totals.requests.count == before + 2)
        #expect(byTag == byDigest)
        #expect(byTag.document == .manifest(manifest))
        #expect(byTag.descriptor == descriptor)
        #expect(try await client.findManifest(.tag("v1"), in: "a/b") == descriptor)
        #expect(try await client.findManifest(.tag("v2"), in: "a/b") == nil)
    }

    @Test func `pushes an index`() async throws {
        var (_, descriptor) = try await pushImage(to: "a/b", as: .tag("v1"))
        descriptor.platform = .host
        let index = Index(manifests: [descriptor])
        try await client.pushManifest(index.encoded(), index.mediaType, to: "a/b", as: .tag("all"))
        #expect(try await client.manifest(.tag("all"), in: "a/b").document == .index(index))
    }

    @Test func `says what is not there, in the registry's words, too`() async throws {
        let error = await failure { () throws(RegistryError) in
            try await client.manifest(.tag("x"), in: "no/such")
        }
        #expect(error?.isNotFound == true)
        #expect(
            "\(error!)"
                == "get the manifest \(server.host)/no/such:x: not found (MANIFEST_UNKNOWN: manifest unknown)"
        )
        let absent = Digest(sha256: Array(repeating: 7, count: 32))
        #expect(try await client.findBlob(absent, in: "a") == nil)
        let missing = Descriptor(mediaType: .layer, digest: absent, size: 3)
        let second = await failure { () throws(RegistryError) in
            try await client.pullBlob(missing, from: "a") { _ in }
        }
        #expect(second?.isNotFound == true)
    }

    @Test func `is refused a blob whose digest is another`() async throws {
        let blob = try TestBlob(TestBlob.noise(100))
        var wrong = blob.descriptor
        wrong.digest = Digest(sha256: Array(repeating: 7, count: 32))
        let error = await failure { () throws(RegistryError) in
            try await client.pushBlob(wrong, from: blob.file, to: "a")
        }
        guard case .status(400)? = error?.problem else { throw TestSupportError("\(error as Any)") }
        #expect(error?.messages.first?.code == "DIGEST_INVALID")
    }

    @Test func `refuses a blob that is larger than its descriptor says`() async throws {
        let blob = try TestBlob(TestBlob.noise(4_000_000))
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "a")
        var wrong = blob.descriptor
        wrong.size -= 1
        let error = await failure { () throws(RegistryError) in
            try await client.pullBlob(wrong, from: "a") { _ in }
        }
        guard case .sizeMismatch(3_999_999, 4_000_000)? = error?.problem else {
            throw TestSupportError("\(error as Any)")
        }
    }

    @Test func `says that nobody is there`() async throws {
        let nobody = try RegistryClient("127.0.0.1:1", http: HTTPClient())
        let error = await failure { () throws(RegistryError) in
            try await nobody.manifest(.tag("x"), in: "a")
        }
        #expect(error?.isUnreachable == true)
        #expect(error?.hint != nil)
    }

    @Test(arguments: ["../x", "a/../../b", "a?b", "a//b", "a b", "%2e%2e/x"])
    func `asks for no repository that is none`(repository: String) async throws {
        let error = await failure { () throws(RegistryError) in
            try await client.manifest(.tag("x"), in: repository)
        }
        guard case .malformed? = error?.problem else { throw TestSupportError("\(error as Any)") }
        #expect(traffic.totals.requests.isEmpty)
    }
}
