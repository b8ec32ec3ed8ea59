/// The manifest of one image: its config and its layers, lowest first.
///
/// OCI image-spec v1.1, manifest.md; Docker Image Manifest V2, Schema 2.
public struct Manifest: Hashable, Sendable {
    public var mediaType: MediaType
    /// Set where the manifest carries something else than an image.
    public var artifactType: MediaType?
    public var config: Descriptor
    /// Lowest first.
    public var layers: [Descriptor]
    /// The manifest that this one says something about.
    public var subject: Descriptor?
    public var annotations: [String: String]

    public init(
        mediaType: MediaType = .manifest, config: Descriptor, layers: [Descriptor],
        artifactType: MediaType? = nil, subject: Descriptor? = nil,
        annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.artifactType = artifactType
        self.config = config
        self.layers = layers
        self.subject = subject
        self.annotations = annotations
    }

    /// Reads a manifest, and refuses an index.
    public init(
        decoding bytes: [UInt8], contentType: MediaType? = nil
    ) throws(DocumentError) {
        switch try ManifestDocument(decoding: bytes, contentType: contentType) {
        case .manifest(let manifest): self = manifest
        case .index: throw DocumentError(.manifest, .unexpectedKind(found: .index))
        }
    }

    /// Throws unless all that it names is what an image consists of.
    ///
    /// For who unpacks it. OCI image-spec v1.1, manifest.md: who only copies a manifest takes types that it does not know.
    public func checkIsImage() throws(DocumentError) {
        if !config.mediaType.isConfig {
            throw DocumentError(.manifest, .notAnImage(config: config.mediaType))
        }
        for (index, layer) in layers.enumerated() where !layer.mediaType.isLayer {
            throw DocumentError(.manifest, .unknownLayer(layer.mediaType, index: index))
        }
    }

    /// The bytes to hash, to store and to push. The same value always gives the same bytes.
    public func encoded() -> [UInt8] { DocumentCoding.encode(self) }
}

extension Manifest: Codable {
    private enum CodingKeys: String, CodingKey {
        case schemaVersion, mediaType, artifactType, config, layers, subject, annotations
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType) ?? .manifest
        artifactType = try container.decodeIfPresent(MediaType.self, forKey: .artifactType)
        config = try container.decode(Descriptor.self, forKey: .config)
        layers = try container.list(forKey: .layers)
        subject = try container.decodeIfPresent(Descriptor.self, forKey: .subject)
        annotations = try container.dictionary(forKey: .annotations)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(2, forKey: .schemaVersion)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encodeIfPresent(artifactType, forKey: .artifactType)
        try container.encode(config, forKey: .config)
        try container.encode(layers, forKey: .layers)
        try container.encodeIfPresent(subject, forKey: .subject)
        try container.encodeUnlessEmpty(annotations, forKey: .annotations)
    }
}
