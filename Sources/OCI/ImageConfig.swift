/// The config of an image: what a container made from it does, and how the image came to be.
///
/// OCI image-spec v1.1, config.md.
public struct ImageConfig: Hashable, Sendable {
    public var created: Timestamp?
    public var author: String
    public var os: String
    public var osVersion: String
    public var osFeatures: [String]
    public var architecture: String
    public var variant: String
    public var config: ContainerConfig
    /// The diff IDs, lowest layer first.
    public var diffIDs: [Digest]
    public var history: [History]

    /// An image without layers, as `FROM scratch` starts.
    public init(platform: Platform) {
        created = nil
        author = ""
        os = platform.os
        osVersion = platform.osVersion
        osFeatures = platform.osFeatures
        architecture = platform.architecture
        variant = platform.variant
        config = ContainerConfig()
        diffIDs = []
        history = []
    }

    /// Reads a config.
    public init(decoding bytes: [UInt8]) throws(DocumentError) {
        self = try DocumentCoding.decode(
            ImageConfig.self, from: bytes, kind: .config, limit: DocumentLimits.configBytes)
        for (path, count, limit) in [
            ("rootfs.diff_ids", diffIDs.count, DocumentLimits.layers),
            ("history", history.count, DocumentLimits.historyEntries),
        ] where count > limit {
            throw DocumentError(.config, .tooMany(path: path, count: count, limit: limit))
        }
    }

    /// Reads the config of `manifest`, which must have a diff ID for each of its layers.
    public init(decoding bytes: [UInt8], of manifest: Manifest) throws(DocumentError) {
        try self.init(decoding: bytes)
        if diffIDs.count != manifest.layers.count {
            throw DocumentError(
                .config, .layerCount(manifest: manifest.layers.count, config: diffIDs.count))
        }
    }

    /// The bytes to hash, to store and to push. The same value always gives the same bytes.
    public func encoded() -> [UInt8] { DocumentCoding.encode(self) }

    /// What the image runs on.
    public var platform: Platform {
        Platform(
            os: os, architecture: architecture, variant: variant, osVersion: osVersion,
            osFeatures: osFeatures)
    }
}

/// What one instruction left in an image's history.
public struct History: Hashable, Sendable {
    public var created: Timestamp?
    public var createdBy: String
    public var author: String
    public var comment: String
    /// The instruction made no layer.
    public var emptyLayer: Bool

    public init(
        created: Timestamp? = nil, createdBy: String = "", author: String = "",
        comment: String = "", emptyLayer: Bool = false
    ) {
        self.created = created
        self.createdBy = createdBy
        self.author = author
        self.comment = comment
        self.emptyLayer = emptyLayer
    }
}

extension ImageConfig: Codable {
    private enum CodingKeys: String, CodingKey {
        case created, author, os, architecture, variant, config, rootfs, history
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    private struct RootFS: Codable {
        var type: String
        var diffIDs: [Digest]

        private enum CodingKeys: String, CodingKey {
            case type
            case diffIDs = "diff_ids"
        }

        init(diffIDs: [Digest]) {
            type = "layers"
            self.diffIDs = diffIDs
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decode(String.self, forKey: .type)
            if type != "layers" {
                throw DecodingError.dataCorruptedError(
                    forKey: .type, in: container, debugDescription: "not \"layers\"")
            }
            diffIDs = try container.list(forKey: .diffIDs)
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        created = try container.decodeIfPresent(Timestamp.self, forKey: .created)
        author = try container.text(forKey: .author)
        os = try container.text(forKey: .os)
        osVersion = try container.text(forKey: .osVersion)
        osFeatures = try container.list(forKey: .osFeatures)
        architecture = try container.text(forKey: .architecture)
        variant = try container.text(forKey: .variant)
        config =
            try container.decodeIfPresent(ContainerConfig.self, forKey: .config)
            ?? ContainerConfig()
        diffIDs = try container.decode(RootFS.self, forKey: .rootfs).diffIDs
        history = try container.list(forKey: .history)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(created, forKey: .created)
        try container.encodeUnlessEmpty(author, forKey: .author)
        try container.encode(os, forKey: .os)
        try container.encodeUnlessEmpty(osVersion, forKey: .osVersion)
        try container.encodeUnlessEmpty(osFeatures, forKey: .osFeatures)
        try container.encode(architecture, forKey: .architecture)
        try container.encodeUnlessEmpty(variant, forKey: .variant)
        try container.encode(config, forKey: .config)
        try container.encode(RootFS(diffIDs: diffIDs), forKey: .rootfs)
        try container.encodeUnlessEmpty(history, forKey: .history)
    }
}

extension History: Codable {
    private enum CodingKeys: String, CodingKey {
        case created, author, comment
        case createdBy = "created_by"
        case emptyLayer = "empty_layer"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        created = try container.decodeIfPresent(Timestamp.self, forKey: .created)
        createdBy = try container.text(forKey: .createdBy)
        author = try container.text(forKey: .author)
        comment = try container.text(forKey: .comment)
        emptyLayer = try container.decodeIfPresent(Bool.self, forKey: .emptyLayer) ?? false
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(created, forKey: .created)
        try container.encodeUnlessEmpty(createdBy, forKey: .createdBy)
        try container.encodeUnlessEmpty(author, forKey: .author)
        try container.encodeUnlessEmpty(comment, forKey: .comment)
        if emptyLayer { try container.encode(true, forKey: .emptyLayer) }
    }
}
