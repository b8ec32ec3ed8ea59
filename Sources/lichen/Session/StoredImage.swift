import OCI
import Store

/// An image of the store, its documents read.
struct StoredImage {
    var digest: Digest
    var manifest: Manifest
    var config: ImageConfig

    /// Of all layers, as they are stored and sent.
    var layerBytes: Int64 { manifest.layers.reduce(0) { $0 + $1.size } }
}

extension Store {
    /// What `name` stands for here.
    func manifest(named name: Reference) throws -> Descriptor {
        if let found = try image(name.description) { return found }
        throw StoreError(
            .unknownImage(name.familiar),
            hint: "lichen images lists those that are here; lichen pull \(name.familiar) brings it")
    }

    /// Reads the manifest and the config of an image that is here.
    func stored(_ digest: Digest) throws -> StoredImage {
        let manifest = try Manifest(decoding: try needed(digest))
        let config = try ImageConfig(decoding: try needed(manifest.config.digest))
        return StoredImage(digest: digest, manifest: manifest, config: config)
    }

    private func needed(_ digest: Digest) throws -> [UInt8] {
        guard let bytes = try document(digest) else { throw StoreError(.missingBlob(digest)) }
        return bytes
    }
}

extension Reference {
    /// A canonical name as short as Docker prints it; one that can't be read as it is.
    static func familiarName(_ name: String) -> String {
        (try? Reference(parsing: name))?.familiar ?? Sanitizer.clean(name)
    }
}
