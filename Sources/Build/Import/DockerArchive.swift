import Archive
import OCI
import Store

/// A docker archive that an image is taken from: its `manifest.json` counts, whatever else is in it.
///
/// Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
struct DockerArchive {
    private typealias Image = DockerArchiveManifest.Image

    private let members: ArchiveMembers
    private let blobImport: BlobImport
    private let images: [Image]

    /// - Throws: `ImportError` for what is no docker archive.
    init(_ members: ArchiveMembers, _ blobImport: BlobImport) throws {
        self.members = members
        self.blobImport = blobImport
        let name = DockerArchiveManifest.name
        guard let bytes = try members.document(name, limit: DocumentLimits.manifestBytes) else {
            throw Self.refusal(members)
        }
        guard let manifest = DockerArchiveManifest(decoding: bytes) else {
            throw ImportError(.damaged("\(name) can't be read"))
        }
        images = manifest.images
    }

    private static func refusal(_ members: ArchiveMembers) -> ImportError {
        let reason = "it is no docker archive: manifest.json is missing"
        if members.member("repositories") != nil {
            return ImportError(
                .wrongFormat(reason), hint: "it is of the time before Docker 1.10; save it again")
        }
        if members.member("oci-layout") != nil {
            return ImportError(.wrongFormat(reason), hint: "name it as oci-archive://")
        }
        return ImportError(.wrongFormat(reason))
    }

    /// Takes an image into the store: its config, its layers, and the manifest that describes them.
    func take(_ selector: StoredImage.Selector?) throws -> (descriptor: Descriptor, bytes: [UInt8])
    {
        let image = try image(selector)
        for source in image.sources.values
        where source.mediaType.isNondistributable || !source.urls.isEmpty {
            throw ImportError(.foreignLayer(source.digest))
        }
        guard
            let bytes = try members.document(image.config, limit: DocumentLimits.configBytes)
        else { throw ImportError(.missing(image.config)) }
        let config = try ImageConfig(decoding: bytes)
        if config.diffIDs.count != image.layers.count {
            throw ImportError(
                .damaged("\(image.layers.count) layers, and \(config.diffIDs.count) diff IDs"))
        }
        let layers = try takeLayers(of: image, config.diffIDs)
        let manifest = Manifest(config: try keep(bytes, .config), layers: layers).encoded()
        return (try keep(manifest, .manifest), manifest)
    }

    // MARK: - Layers

    private func takeLayers(of image: Image, _ diffIDs: [Digest]) throws -> [Descriptor] {
        var taken: [String: Descriptor] = [:]
        var wanted: [String: Digest] = [:]
        let names = try zip(image.layers, diffIDs).map { path, diffID in
            guard let (name, size) = members.member(path) else { throw ImportError(.missing(path)) }
            if let known = try known(name, size, diffID) {
                taken[name] = known
            } else {
                wanted[name] = diffID
            }
            return name
        }
        try members.extract(Set(wanted.keys)) { name, entry, tar in
            let layer = try blobImport.add(
                layerOf: entry, from: tar, expected: Self.claimedDigest(of: name))
            // The diff ID of a packed one is seen when it is unpacked.
            if layer.mediaType == .layer, layer.digest != wanted[name]! {
                throw ImportError(.wrongDigest(expected: wanted[name]!, actual: layer.digest))
            }
            taken[name] = layer
        }
        return names.map { taken[$0]! }
    }

    /// The layer as the store has it: plain, or packed under the digest that its name claims.
    private func known(_ name: String, _ size: Int64, _ diffID: Digest) throws -> Descriptor? {
        for digest in [diffID, Self.claimedDigest(of: name)] {
            if let digest, try blobImport.store.size(ofBlob: digest) == size {
                return try blobImport.layer(digest, size: size)
            }
        }
        return nil
    }

    /// Newer archives name a blob after its digest: `blobs/sha256/…`.
    private static func claimedDigest(of name: String) -> Digest? {
        let prefix = "blobs/sha256/"
        return name.hasPrefix(prefix) ? Digest(hex: name.dropFirst(prefix.count)) : nil
    }

    private func keep(_ bytes: [UInt8], _ type: MediaType) throws -> Descriptor {
        let digest = Digest(sha256: bytes.withUnsafeBytes { SHA256.digest(of: $0) })
        try blobImport.store.keepDocument(bytes, digest: digest)
        return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
    }

    // MARK: - Which image

    private func image(_ selector: StoredImage.Selector?) throws -> Image {
        let known = images.map { $0.tags.first ?? "\($0.config) without a name" }
        let hint = "name one, as in docker-archive://FILE:TAG"
        switch selector {
        case .digest?:
            throw ImportError(
                .unknownImage("a digest", known: known), hint: "an archive of Docker's has tags")
        case .name(let name)?:
            var found = images.filter { $0.isCalled(name) }
            if found.isEmpty { found = images.filter { $0.hasTag(name) } }
            if found.count > 1 { throw ImportError(.ambiguous(found.flatMap(\.tags)), hint: hint) }
            guard let image = found.first else {
                throw ImportError(.unknownImage(name, known: images.flatMap(\.tags)))
            }
            return image
        case nil:
            if images.isEmpty { throw ImportError(.wrongFormat("the archive has no image")) }
            if images.count == 1 { return images[0] }
            let latest = images.filter { $0.hasTag("latest") }
            if latest.count == 1 { return latest[0] }
            throw ImportError(.ambiguous(known), hint: hint)
        }
    }
}

extension DockerArchiveManifest.Image {
    private var references: [Reference] { tags.compactMap { try? Reference(parsing: $0) } }

    fileprivate func isCalled(_ word: String) -> Bool {
        guard let reference = try? Reference(parsing: word) else { return false }
        return references.contains(reference)
    }

    fileprivate func hasTag(_ word: String) -> Bool { references.contains { $0.tag == word } }
}
