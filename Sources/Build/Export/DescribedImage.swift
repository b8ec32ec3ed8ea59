import Archive
public import OCI
public import Store

/// What the store knows of one image: its documents, read and verified. Its layers need not be here.
public struct DescribedImage: Sendable, Equatable {
    /// Without the annotations by which the store's index names it.
    public var descriptor: Descriptor
    public var manifestBytes: [UInt8]
    public var manifest: Manifest
    public var configBytes: [UInt8]
    public var config: ImageConfig

    /// Lowest first.
    public var layers: [LayerRecord] {
        zip(config.diffIDs, manifest.layers).map { LayerRecord(diffID: $0, blob: $1) }
    }

    public var exportable: ExportableImage {
        ExportableImage(
            manifest: descriptor, manifestBytes: manifestBytes, configBytes: configBytes,
            layers: layers)
    }

    /// Finds an image by what a user typed: a reference, or the digest of a manifest or an index.
    ///
    /// - Parameter platform: which one is meant; of an index it is the host's if none is.
    /// - Throws: `StoreError`: `unknownImage`, `missingBlob`, or `damaged` with the document's own words.
    public init(_ name: String, platform: Platform? = nil, in store: Store) throws(StoreError) {
        try self.init(try Self.find(name, in: store), platform: platform, in: store)
    }

    /// Reads the image that `descriptor` points to, itself or through an index.
    public init(_ descriptor: Descriptor, platform: Platform? = nil, in store: Store)
        throws(StoreError)
    {
        var (descriptor, isAlone) = (descriptor, true)
        var bytes = try Self.document(descriptor.digest, in: store)
        var document = try Self.parse(bytes, descriptor)
        if case .index(let index) = document {
            let wanted = platform ?? .host
            guard let entry = index.descriptor(for: wanted) else {
                throw Self.lacks(wanted, descriptor, has: index.platforms)
            }
            (descriptor, isAlone) = (entry, false)
            bytes = try Self.document(descriptor.digest, in: store)
            document = try Self.parse(bytes, descriptor)
        }
        guard case .manifest(let manifest) = document else {
            throw StoreError(.damaged("\(descriptor.digest) is an index within an index"))
        }
        descriptor.annotations = [:]
        self.descriptor = descriptor
        manifestBytes = bytes
        self.manifest = manifest
        configBytes = try Self.document(manifest.config.digest, in: store)
        do throws(DocumentError) {
            config = try ImageConfig(decoding: configBytes, of: manifest)
        } catch {
            throw StoreError(.damaged("\(manifest.config.digest): \(error)"))
        }
        // What an index says of its images has been heeded above.
        if isAlone, let platform, !config.platform.matches(platform) {
            throw Self.lacks(platform, descriptor, has: [config.platform])
        }
    }

    private static func lacks(
        _ platform: Platform, _ descriptor: Descriptor, has others: [Platform]
    ) -> StoreError {
        StoreError(
            .unknownImage("\(descriptor.digest) for \(platform)"),
            hint: "it is there for: " + others.map(\.description).joined(separator: ", "))
    }

    private static func find(_ name: String, in store: Store) throws(StoreError) -> Descriptor {
        if let digest = Digest(name) { return try descriptor(of: digest, in: store) }
        if let exact = try store.image(name) { return exact }
        let reference: Reference
        do throws(ReferenceError) { reference = try Reference(parsing: name) } catch {
            throw StoreError(.unknownImage(Harmless.text(name, limit: 300)))
        }
        if let named = try store.image(reference.description) { return named }
        if let digest = reference.digest { return try descriptor(of: digest, in: store) }
        throw StoreError(.unknownImage(reference.familiar), hint: "lichen images lists them")
    }

    /// The bytes of a blob tell what kind of document it is.
    private static func descriptor(of digest: Digest, in store: Store) throws(StoreError)
        -> Descriptor
    {
        guard let size = try store.size(ofBlob: digest), size <= DocumentLimits.manifestBytes else {
            throw StoreError(.unknownImage(digest.description), hint: "lichen images lists them")
        }
        let bytes = try document(digest, in: store)
        guard let document = try? ManifestDocument(decoding: bytes) else {
            throw StoreError(
                .unknownImage(digest.description), hint: "this blob is no manifest and no index")
        }
        return Descriptor(mediaType: document.mediaType, digest: digest, size: size)
    }

    private static func parse(_ bytes: [UInt8], _ descriptor: Descriptor) throws(StoreError)
        -> ManifestDocument
    {
        do throws(DocumentError) {
            return try ManifestDocument(decoding: bytes, contentType: descriptor.mediaType)
        } catch {
            throw StoreError(.damaged("\(descriptor.digest): \(error)"))
        }
    }

    /// A document whose bytes are what its digest says.
    private static func document(_ digest: Digest, in store: Store) throws(StoreError) -> [UInt8] {
        guard let bytes = try store.document(digest) else {
            throw StoreError(.missingBlob(digest), hint: "pull the image again")
        }
        let actual = Digest(sha256: bytes.withUnsafeBytes { SHA256.digest(of: $0) })
        guard actual == digest else {
            throw StoreError(
                .wrongDigest(expected: digest, actual: actual), hint: "lichen store check")
        }
        return bytes
    }
}
