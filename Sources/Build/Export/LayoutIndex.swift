import OCI

/// The `index.json` of an OCI layout. What others wrote into it is kept, also what Lichen does not know.
///
/// OCI image-spec v1.1, image-layout.md, "index.json file".
struct LayoutIndex {
    static let nameAnnotation = "org.opencontainers.image.ref.name"
    /// The whole reference, where containerd and Docker look for it.
    static let fullNameAnnotation = "io.containerd.image.name"

    private var members: [String: JSONValue]
    private var manifests: [JSONValue]

    /// An index without images.
    init() {
        members = ["schemaVersion": .integer(2), "mediaType": .string(MediaType.index.rawValue)]
        manifests = []
    }

    /// Nil for what is no index.
    init?(decoding bytes: [UInt8]) {
        guard case .index? = try? ManifestDocument(decoding: bytes, contentType: .index),
            case .object(let members)? = try? JSONValue(decoding: bytes)
        else { return nil }
        self.members = members
        manifests = []
        if case .array(let manifests)? = members["manifests"] { self.manifests = manifests }
    }

    /// Names `manifest` by the tags of `references`; a name that stood for another image stands for this one now.
    ///
    /// An image without a tag is entered without a name, once.
    mutating func add(_ manifest: Descriptor, named references: [Reference]) throws {
        var entry = manifest
        entry.annotations = [:]
        let plain = try JSONValue(entry)
        var tags: Set<String> = []
        for reference in references {
            guard let tag = reference.tag, tags.insert(tag).inserted else { continue }
            entry.annotations = [
                Self.nameAnnotation: tag, Self.fullNameAnnotation: reference.description,
            ]
            manifests.removeAll { $0["annotations"]?[Self.nameAnnotation]?.text == tag }
            manifests.append(try JSONValue(entry))
        }
        let digest = manifest.digest.description
        if tags.isEmpty {
            if !manifests.contains(where: { $0["digest"]?.text == digest }) {
                manifests.append(plain)
            }
        } else {
            // The same image got a name: its entry without one would only make it ambiguous.
            manifests.removeAll { $0 == plain }
        }
    }

    /// Enters `manifest` once for each reference: two repositories with the same tag stay two names, as `docker save` has it.
    mutating func addEach(_ manifest: Descriptor, named references: [Reference]) throws {
        var entry = manifest
        for reference in references {
            guard let tag = reference.tag else { continue }
            entry.annotations = [
                Self.nameAnnotation: tag, Self.fullNameAnnotation: reference.description,
            ]
            manifests.append(try JSONValue(entry))
        }
        if manifests.isEmpty {
            entry.annotations = [:]
            manifests.append(try JSONValue(entry))
        }
    }

    func encoded() throws -> [UInt8] {
        var members = members
        members["manifests"] = .array(manifests)
        return try JSONValue.object(members).encoded()
    }
}
