/// How a layer's tar is compressed.
public enum LayerCompression: String, Hashable, Sendable, CaseIterable {
    case none, gzip, zstd
}

/// What a descriptor's blob is, in the words of OCI and of Docker before it.
///
/// OCI image-spec v1.1, media-types.md; Docker Image Manifest V2, Schema 2.
public struct MediaType: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    /// Takes the name as it is, letter by letter.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Reads a `Content-Type` header: parameters are dropped, letters lowered (RFC 9110, section 8.3.1).
    public init(contentType: some StringProtocol) {
        let essence = contentType.prefix { $0 != ";" }
        rawValue = essence.lowercased().split(whereSeparator: \.isWhitespace).joined()
    }

    public static let manifest = MediaType("application/vnd.oci.image.manifest.v1+json")
    public static let index = MediaType("application/vnd.oci.image.index.v1+json")
    public static let config = MediaType("application/vnd.oci.image.config.v1+json")
    public static let layer = MediaType("application/vnd.oci.image.layer.v1.tar")
    public static let layerGzip = MediaType("application/vnd.oci.image.layer.v1.tar+gzip")
    public static let layerZstd = MediaType("application/vnd.oci.image.layer.v1.tar+zstd")

    public static let dockerManifest = MediaType(
        "application/vnd.docker.distribution.manifest.v2+json")
    public static let dockerIndex = MediaType(
        "application/vnd.docker.distribution.manifest.list.v2+json")
    public static let dockerConfig = MediaType("application/vnd.docker.container.image.v1+json")
    public static let dockerLayer = MediaType("application/vnd.docker.image.rootfs.diff.tar")
    public static let dockerLayerGzip = MediaType(
        "application/vnd.docker.image.rootfs.diff.tar.gzip")
    public static let dockerLayerZstd = MediaType(
        "application/vnd.docker.image.rootfs.diff.tar.zstd")

    /// Every manifest and index that Lichen reads: what it asks a registry for.
    public static let manifestsAndIndexes: [MediaType] = [
        .manifest, .index, .dockerManifest, .dockerIndex,
    ]

    /// The OCI layer with this compression.
    public static func layer(_ compression: LayerCompression) -> MediaType {
        switch compression {
        case .none: .layer
        case .gzip: .layerGzip
        case .zstd: .layerZstd
        }
    }

    private init(_ name: String) { rawValue = name }
}

extension MediaType {
    /// A manifest of one image.
    public var isManifest: Bool { self == .manifest || self == .dockerManifest }

    /// An index of manifests (Docker: a manifest list).
    public var isIndex: Bool { self == .index || self == .dockerIndex }

    /// An image's config.
    public var isConfig: Bool { self == .config || self == .dockerConfig }

    /// A layer, of whatever compression, those included whose blobs lie elsewhere.
    public var isLayer: Bool { layerKind != nil }

    /// A layer that registries do not hold: its descriptor has URLs of another place.
    public var isNondistributable: Bool { layerKind?.nondistributable ?? false }

    /// Docker's first manifest format, which signed itself and named no config.
    public var isSchema1: Bool {
        rawValue.hasPrefix("application/vnd.docker.distribution.manifest.v1+")
    }

    /// The compression of a layer; nil for what is no layer.
    public var compression: LayerCompression? { layerKind?.compression }

    private var layerKind: (compression: LayerCompression, nondistributable: Bool)? {
        let families: [(prefix: String, separator: String, nondistributable: Bool)] = [
            ("application/vnd.oci.image.layer.v1.tar", "+", false),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar", "+", true),
            ("application/vnd.docker.image.rootfs.diff.tar", ".", false),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar", ".", true),
        ]
        for family in families where rawValue.hasPrefix(family.prefix) {
            let suffix = rawValue.dropFirst(family.prefix.count)
            if suffix.isEmpty { return (.none, family.nondistributable) }
            guard suffix.hasPrefix(family.separator) else { return nil }
            switch suffix.dropFirst() {
            case "gzip": return (.gzip, family.nondistributable)
            case "zstd": return (.zstd, family.nondistributable)
            default: return nil
            }
        }
        return nil
    }
}

extension MediaType: CustomStringConvertible {
    public var description: String { rawValue }
}

extension MediaType: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        // RFC 6838, section 4.2: two restricted names and a slash. What we print must be harmless, too.
        guard name.utf8.count <= 255, name.utf8.contains(UInt8(ascii: "/")),
            name.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a media type")
        }
        rawValue = name
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
