import Archive
import OCI
import Store

/// An OCI layout that an image is taken from.
///
/// OCI image-spec v1.1, image-layout.md.
struct Layout {
    private let files: any LayoutFiles
    private let blobImport: BlobImport
    private let entries: [Descriptor]

    static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    /// - Throws: `ImportError` for what is no layout.
    init(_ files: any LayoutFiles, _ blobImport: BlobImport) throws {
        self.files = files
        self.blobImport = blobImport
        guard let marker = try files.document("oci-layout", limit: 4096) else {
            throw ImportError(.wrongFormat("it is no OCI layout: oci-layout is missing"))
        }
        let version = (try? JSONValue(decoding: marker))?["imageLayoutVersion"]?.text
        guard let version, version.hasPrefix("1.") else {
            throw ImportError(.wrongFormat("the layout's version is not 1.0.0"))
        }
        guard
            let bytes = try files.document("index.json", limit: DocumentLimits.manifestBytes)
        else { throw ImportError(.wrongFormat("it is no OCI layout: index.json is missing")) }
        entries = try Index(decoding: bytes, contentType: .index).manifests.filter {
            $0.mediaType.isManifest || $0.mediaType.isIndex
        }
    }

    /// Takes an image into the store: its documents and its layers.
    ///
    /// - Returns: what it is, and its bytes: a manifest, or an index of which the image for `platform` is in the store.
    func take(_ selector: StoredImage.Selector?, _ platform: Platform) throws
        -> (descriptor: Descriptor, bytes: [UInt8])
    {
        var top = try entry(selector, platform)
        top.annotations = [:]
        let bytes = try document(top)
        switch try ManifestDocument(decoding: bytes, contentType: top.mediaType) {
        case .manifest(let manifest): try take(manifest)
        case .index(let index):
            guard let chosen = index.descriptor(for: platform) else {
                throw ImportError(
                    .otherPlatforms(
                        platform, known: index.platforms.map(\.description)))
            }
            let inner = try ManifestDocument(
                decoding: try document(chosen), contentType: chosen.mediaType)
            guard case .manifest(let manifest) = inner else {
                throw ImportError(.damaged("\(chosen.digest) is an index within an index"))
            }
            try take(manifest)
        }
        return (top, bytes)
    }

    private func take(_ manifest: Manifest) throws {
        try manifest.checkIsImage()
        for layer in manifest.layers where layer.mediaType.isNondistributable {
            throw ImportError(.foreignLayer(layer.digest))
        }
        if manifest.config.size > DocumentLimits.configBytes {
            throw ImportError(.damaged("the config is larger than any config"))
        }
        var seen: Set<Digest> = []
        let blobs = try ([manifest.config] + manifest.layers).filter {
            try seen.insert($0.digest).inserted && !blobImport.has($0)
        }
        try files.add(blobs, to: blobImport)
    }

    /// A manifest or an index, verified and kept.
    private func document(_ descriptor: Descriptor) throws -> [UInt8] {
        let path = Self.path(of: descriptor.digest)
        guard let bytes = try files.document(path, limit: DocumentLimits.manifestBytes) else {
            throw ImportError(.missing(path))
        }
        let actual = Digest(sha256: bytes.withUnsafeBytes { SHA256.digest(of: $0) })
        if actual != descriptor.digest {
            throw ImportError(.wrongDigest(expected: descriptor.digest, actual: actual))
        }
        try blobImport.store.keepDocument(bytes, digest: actual)
        return bytes
    }

    // MARK: - Which image

    private func entry(_ selector: StoredImage.Selector?, _ platform: Platform) throws
        -> Descriptor
    {
        switch selector {
        case .digest(let digest)?:
            if let found = entries.first(where: { $0.digest == digest }) { return found }
            return try unlisted(digest)
        case .name(let name)?:
            let named = entries.filter { $0.isCalled(name) }
            if named.isEmpty { throw ImportError(.unknownImage(name, known: names)) }
            return try one(of: named, platform)
        case nil:
            if Set(entries.map(\.digest)).count > 1 {
                let latest = entries.filter { $0.isCalled("latest") }
                if !latest.isEmpty { return try one(of: latest, platform) }
            }
            return try one(of: entries, platform)
        }
    }

    /// The only one, or the one for the platform.
    private func one(of found: [Descriptor], _ platform: Platform) throws -> Descriptor {
        guard let first = found.first else {
            throw ImportError(.wrongFormat("the layout has no image"))
        }
        if found.allSatisfy({ $0.digest == first.digest }) { return first }
        if Set(found.map(\.name)).count == 1, found.allSatisfy({ $0.platform != nil }) {
            if let entry = Index(manifests: found).descriptor(for: platform) { return entry }
            throw ImportError(
                .otherPlatforms(
                    platform, known: Index(manifests: found).platforms.map(\.description)))
        }
        throw ImportError(.ambiguous(names), hint: "name one, as in oci-layout://DIR:TAG")
    }

    /// An image that the index leads to, or to nothing; it is found by its digest all the same.
    private func unlisted(_ digest: Digest) throws -> Descriptor {
        let path = Self.path(of: digest)
        guard let bytes = try files.document(path, limit: DocumentLimits.manifestBytes) else {
            throw ImportError(.unknownImage("\(digest)", known: names))
        }
        let document = try ManifestDocument(decoding: bytes)
        return Descriptor(
            mediaType: document.mediaType, digest: digest, size: Int64(bytes.count))
    }

    private var names: [String] { entries.map { $0.name ?? "\($0.digest)" } }
}

extension Descriptor {
    /// In a layout's index.
    fileprivate var name: String? { annotations[LayoutIndex.nameAnnotation] }

    /// By its tag, or by a whole reference that is noted beside it.
    fileprivate func isCalled(_ word: String) -> Bool {
        if name == word { return true }
        guard let full = annotations[LayoutIndex.fullNameAnnotation] else { return false }
        return full == word || full == (try? Reference(parsing: word))?.description
    }
}
