/// An index: the manifests of one image for several platforms, or the images of a layout.
///
/// OCI image-spec v1.1, image-index.md; Docker Image Manifest V2, Schema 2, "Manifest List".
public struct Index: Hashable, Sendable {
    public var mediaType: MediaType
    public var artifactType: MediaType?
    public var manifests: [Descriptor]
    public var subject: Descriptor?
    public var annotations: [String: String]

    public init(
        mediaType: MediaType = .index, manifests: [Descriptor], artifactType: MediaType? = nil,
        subject: Descriptor? = nil, annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.artifactType = artifactType
        self.manifests = manifests
        self.subject = subject
        self.annotations = annotations
    }

    /// Reads an index, and refuses a manifest.
    public init(
        decoding bytes: [UInt8], contentType: MediaType? = nil
    ) throws(DocumentError) {
        switch try ManifestDocument(decoding: bytes, contentType: contentType) {
        case .index(let index): self = index
        case .manifest: throw DocumentError(.index, .unexpectedKind(found: .manifest))
        }
    }

    /// The bytes to hash, to store and to push. The same value always gives the same bytes.
    public func encoded() -> [UInt8] { DocumentCoding.encode(self) }

    /// What its images are for. Entries of attestations, which buildx adds, say `unknown`.
    public var platforms: [Platform] {
        manifests.compactMap(\.platform).filter { $0.os != "unknown" }
    }

    /// The entry for `platform`, or nil.
    ///
    /// Among several that run there, the one whose variant comes nearest wins, then the first. An entry without a platform is taken
    /// only where it is the only entry that could be meant; its config then says what it is.
    public func descriptor(for platform: Platform) -> Descriptor? {
        let images = manifests.filter { $0.mediaType.isManifest || $0.mediaType.isIndex }
        for candidate in platform.acceptable {
            if let found = images.first(where: { $0.platform?.matches(candidate) ?? false }) {
                return found
            }
        }
        let unnamed = images.filter { $0.platform == nil }
        return unnamed.count == 1 ? unnamed[0] : nil
    }
}

extension Index: Codable {
    private enum CodingKeys: String, CodingKey {
        case schemaVersion, mediaType, artifactType, manifests, subject, annotations
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType) ?? .index
        artifactType = try container.decodeIfPresent(MediaType.self, forKey: .artifactType)
        manifests = try container.list(forKey: .manifests)
        subject = try container.decodeIfPresent(Descriptor.self, forKey: .subject)
        annotations = try container.dictionary(forKey: .annotations)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(2, forKey: .schemaVersion)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encodeIfPresent(artifactType, forKey: .artifactType)
        try container.encode(manifests, forKey: .manifests)
        try container.encodeIfPresent(subject, forKey: .subject)
        try container.encodeUnlessEmpty(annotations, forKey: .annotations)
    }
}
