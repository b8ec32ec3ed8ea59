/// What a registry or a layout has under a tag: one image, or an index of several.
public enum ManifestDocument: Hashable, Sendable {
    case manifest(Manifest)
    case index(Index)

    /// Reads a manifest or an index, whichever the bytes are.
    ///
    /// - Parameter contentType: what the bytes were announced as. Where it names a manifest format, the document must be of it.
    /// - Throws: `DocumentError`, also for a document that two readers could take for two different things.
    ///
    /// OCI image-spec v1.1, manifest.md and image-index.md; on confusion: distribution GHSA-qq97-vm5h-rrhg.
    public init(
        decoding bytes: [UInt8], contentType: MediaType? = nil
    ) throws(DocumentError) {
        let limit = DocumentLimits.manifestBytes
        let shape = try DocumentCoding.decode(
            Shape.self, from: bytes, kind: .manifest, limit: limit)
        let announced = contentType.flatMap { $0.isManifestFormat ? $0 : nil }
        let kind = try shape.kind(announced: announced)
        switch kind {
        case .index:
            var index = try DocumentCoding.decode(
                Index.self, from: bytes, kind: .index, limit: limit)
            try Self.limit(index.manifests.count, DocumentLimits.indexEntries, .index, "manifests")
            index.mediaType = shape.mediaType ?? announced ?? .index
            self = .index(index)
        default:
            var manifest = try DocumentCoding.decode(
                Manifest.self, from: bytes, kind: .manifest, limit: limit)
            try Self.limit(manifest.layers.count, DocumentLimits.layers, .manifest, "layers")
            manifest.mediaType = shape.mediaType ?? announced ?? .manifest
            self = .manifest(manifest)
        }
    }

    /// The media type to announce it with.
    public var mediaType: MediaType {
        switch self {
        case .manifest(let manifest): manifest.mediaType
        case .index(let index): index.mediaType
        }
    }

    private static func limit(
        _ count: Int, _ limit: Int, _ kind: DocumentError.Kind, _ path: String
    ) throws(DocumentError) {
        if count > limit {
            throw DocumentError(kind, .tooMany(path: path, count: count, limit: limit))
        }
    }
}

extension MediaType {
    /// Whether it names a manifest format at all, rather than `application/json` or nothing of use.
    fileprivate var isManifestFormat: Bool { isManifest || isIndex || isSchema1 }
}

/// What a document has on its top level, before anyone decides what it is.
private struct Shape: Decodable {
    var schemaVersion: Int?
    var mediaType: MediaType?
    var hasManifests: Bool
    var hasImageParts: Bool
    var hasSchema1Parts: Bool

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, mediaType, manifests, config, layers, fsLayers, signatures
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        schemaVersion = try container.decodeIfPresent(Int.self, forKey: .schemaVersion)
        mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType)
        hasManifests = container.contains(.manifests)
        hasImageParts = container.contains(.config) || container.contains(.layers)
        hasSchema1Parts = container.contains(.fsLayers) || container.contains(.signatures)
    }

    func kind(announced: MediaType?) throws(DocumentError) -> DocumentError.Kind {
        if hasSchema1Parts || schemaVersion == 1 || mediaType?.isSchema1 == true {
            throw DocumentError(.manifest, .schema1)
        }
        guard let schemaVersion else {
            throw DocumentError(.manifest, .missing(path: "schemaVersion"))
        }
        guard schemaVersion == 2 else {
            throw DocumentError(.manifest, .unsupportedSchema(schemaVersion))
        }
        if hasManifests && hasImageParts { throw DocumentError(.manifest, .ambiguous) }
        guard hasManifests || hasImageParts else {
            throw DocumentError(.manifest, .missing(path: "config"))
        }
        if let mediaType, let announced, mediaType != announced {
            throw DocumentError(
                .manifest,
                .mediaTypeMismatch(stated: mediaType, expected: "the announced \(announced)"))
        }
        let kind: DocumentError.Kind = hasManifests ? .index : .manifest
        if let stated = mediaType ?? announced,
            hasManifests ? !stated.isIndex : !stated.isManifest
        {
            throw DocumentError(
                kind,
                .mediaTypeMismatch(
                    stated: stated, expected: "its content, an image \(kind.rawValue)"))
        }
        return kind
    }
}
