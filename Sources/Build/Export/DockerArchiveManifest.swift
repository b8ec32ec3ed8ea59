import FoundationEssentials
import OCI

/// The `manifest.json` of a docker archive: its images, and where in the tar their parts are.
///
/// Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
struct DockerArchiveManifest: Equatable {
    static let name = "manifest.json"

    struct Image: Equatable, Codable {
        /// The config's path in the tar.
        var config: String
        /// `app:1`, as Docker prints it.
        var tags: [String]
        /// Paths in the tar, lowest first; compressed or not.
        var layers: [String]
        /// By diff ID, where a layer came from that registries do not hold. Lichen writes none.
        var sources: [String: Descriptor] = [:]

        private enum CodingKeys: String, CodingKey {
            case config = "Config"
            case tags = "RepoTags"
            case layers = "Layers"
            case sources = "LayerSources"
        }
    }

    var images: [Image]

    /// Nil for what is no such document.
    init?(decoding bytes: [UInt8]) {
        guard let images = try? JSONDecoder().decode([Image].self, from: Data(bytes)) else {
            return nil
        }
        self.images = images
    }

    /// Sorted keys and plain slashes: the same value gives the same bytes.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(images))
    }
}

extension DockerArchiveManifest.Image {
    /// Docker writes null for what is empty.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        config = try container.decode(String.self, forKey: .config)
        tags = try container.decodeIfPresent([String].self, forKey: .tags) ?? []
        layers = try container.decodeIfPresent([String].self, forKey: .layers) ?? []
        sources =
            try container.decodeIfPresent([String: Descriptor].self, forKey: .sources) ?? [:]
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(config, forKey: .config)
        try container.encode(tags, forKey: .tags)
        try container.encode(layers, forKey: .layers)
        if !sources.isEmpty { try container.encode(sources, forKey: .sources) }
    }
}
