/// A pointer to a blob: what it is, its digest and its exact size.
///
/// An embedded `data` field is not read: the blob itself is always fetched and verified.
///
/// OCI image-spec v1.1, descriptor.md.
public struct Descriptor: Hashable, Sendable {
    public var mediaType: MediaType
    public var digest: Digest
    /// Bytes, never negative.
    public var size: Int64
    /// Where a nondistributable layer may be had. Lichen does not go there.
    public var urls: [String]
    public var annotations: [String: String]
    /// In an index: what the manifest is for.
    public var platform: Platform?

    public init(
        mediaType: MediaType, digest: Digest, size: Int64, urls: [String] = [],
        annotations: [String: String] = [:], platform: Platform? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.urls = urls
        self.annotations = annotations
        self.platform = platform
    }
}

extension Descriptor: Codable {
    private enum CodingKeys: String, CodingKey {
        case mediaType, digest, size, urls, annotations, platform
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mediaType = try container.decode(MediaType.self, forKey: .mediaType)
        digest = try container.decode(Digest.self, forKey: .digest)
        size = try container.decode(Int64.self, forKey: .size)
        if size < 0 {
            throw DecodingError.dataCorruptedError(
                forKey: .size, in: container, debugDescription: "a negative size")
        }
        urls = try container.list(forKey: .urls)
        annotations = try container.dictionary(forKey: .annotations)
        platform = try container.decodeIfPresent(Platform.self, forKey: .platform)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encode(digest, forKey: .digest)
        try container.encode(size, forKey: .size)
        try container.encodeUnlessEmpty(urls, forKey: .urls)
        try container.encodeUnlessEmpty(annotations, forKey: .annotations)
        try container.encodeIfPresent(platform, forKey: .platform)
    }
}
