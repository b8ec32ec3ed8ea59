import Archive
import FoundationEssentials
import Linux
import OCI
import Store
import SystemPackage
import Testing

@testable import lichen

/// A store in a directory of its own that is gone after the test.
private final class TemporaryStore {
    let path = "/tmp/lichen-store-\(randomName())"
    let store: Store

    init() throws { store = try Store(path: path) }
    deinit { try? removeTree(path.utf8, in: .workingDirectory) }

    func keep(_ bytes: [UInt8]) throws -> Digest {
        let digest = bytes.withUnsafeBytes { Digest(sha256: SHA256.digest(of: $0)) }
        try store.keepDocument(bytes, digest: digest)
        return digest
    }

    /// An image with one layer, under a name if there is one.
    func makeImage(named name: String?, layer: String) throws -> (manifest: Digest, blob: Digest) {
        let bytes = Array(layer.utf8)
        let blob = try keep(bytes)
        var config = ImageConfig(platform: .host)
        config.diffIDs = [blob]
        let configBytes = config.encoded()
        let configDescriptor = Descriptor(
            mediaType: .config, digest: try keep(configBytes), size: Int64(configBytes.count))
        let layer = Descriptor(mediaType: .layer, digest: blob, size: Int64(bytes.count))
        let manifest = Manifest(config: configDescriptor, layers: [layer]).encoded()
        let digest = try keep(manifest)
        if let name {
            try store.setImage(
                name,
                to: Descriptor(mediaType: .manifest, digest: digest, size: Int64(manifest.count)))
        }
        return (digest, blob)
    }

    func damage(_ digest: Digest) throws {
        let file = try FileDescriptor.workingDirectory.open(
            "\(path)/blobs/sha256/\(digest.hex)", [.writeOnly, .append], resolve: .system)
        try file.borrowed.writeFully([0])
    }
}

@Suite struct `Pruning a store` {
    @Test func `keeps what a name needs, and removes the rest`() throws {
        let temporary = try TemporaryStore()
        let named = try temporary.makeImage(named: "docker.io/library/a:latest", layer: "one")
        let unnamed = try temporary.makeImage(named: nil, layer: "two")
        let removed = try StorePruner(store: temporary.store).prune(all: false)
        #expect(removed.files == 3 && removed.bytes > 0)
        #expect(try temporary.store.blob(named.blob) != nil)
        #expect(try temporary.store.size(ofBlob: named.manifest) != nil)
        #expect(try temporary.store.size(ofBlob: unnamed.blob) == nil)
        #expect(try StorePruner(store: temporary.store).prune(all: true).files == 0)
    }

    @Test func `keeps the build cache, unless all is to go`() throws {
        let temporary = try TemporaryStore()
        let layer = try temporary.keep(Array("layer".utf8))
        let key = try temporary.keep(Array("key".utf8))
        try temporary.store.keepStep(key, try Self.record(of: layer, size: 5))
        #expect(try StorePruner(store: temporary.store).prune(all: false).files == 1)
        #expect(try temporary.store.step(key) != nil)
        #expect(try StorePruner(store: temporary.store).prune(all: true).files == 2)
        #expect(try temporary.store.size(ofBlob: layer) == nil)
    }

    /// As it lies on disk: a record may get more fields than this test cares for.
    private static func record(of layer: Digest, size: Int) throws -> StepRecord {
        let text = """
            {"created": "2026-01-01T00:00:00Z", "layer": {"diffID": "\(layer)", "blob": \
            {"mediaType": "\(MediaType.layer.rawValue)", "digest": "\(layer)", "size": \(size)}}}
            """
        return try JSONDecoder().decode(StepRecord.self, from: Data(text.utf8))
    }

    @Test func `waits for no build, and takes nothing away under it`() throws {
        let temporary = try TemporaryStore()
        let lock = try temporary.store.enter()
        #expect(throws: StoreError.self) {
            try StorePruner(store: temporary.store).prune(all: false)
        }
        withExtendedLifetime(lock) {}
    }
}

@Suite struct `Checking a store` {
    @Test func `finds nothing wrong with one that is whole`() throws {
        let temporary = try TemporaryStore()
        _ = try temporary.makeImage(named: "docker.io/library/a:latest", layer: "one")
        let findings = try StoreChecker(store: temporary.store).check()
        #expect(findings == .init(problems: [], files: 4))
    }

    @Test func `finds blobs that are not what their names say, and images without documents`()
        throws
    {
        let temporary = try TemporaryStore()
        let image = try temporary.makeImage(named: "docker.io/library/a:latest", layer: "one")
        try temporary.damage(image.blob)
        let first = try StoreChecker(store: temporary.store).check().problems
        #expect(first.count == 1)
        #expect(first.first?.hasPrefix("blobs/sha256/\(image.blob.hex): ") == true)
        try temporary.store.removeBlob(image.blob)
        try temporary.store.removeBlob(image.manifest)
        let second = try StoreChecker(store: temporary.store).check().problems
        #expect(second.count == 1)
        #expect(second.first?.contains("docker.io/library/a:latest") == true)
    }
}
