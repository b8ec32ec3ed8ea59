public import OCI
public import Store

/// The named images of a store, for people and for scripts.
public struct ImageListing: Sendable, Equatable {
    /// One image. A name of an index has a row for each of its images that is here.
    public struct Row: Sendable, Equatable {
        /// The whole reference.
        public var name: String
        public var manifest: Digest
        /// Nil for an image whose documents are missing or damaged, as the two after it.
        public var platform: Platform?
        /// Bytes of the layers, as they are stored and sent.
        public var size: Int64?
        public var created: Timestamp?
    }

    /// Sorted by name, then by platform.
    public var rows: [Row]

    public init(of store: Store) throws(StoreError) {
        var rows: [Row] = []
        for (name, descriptor) in try store.images() {
            for entry in Self.manifests(of: descriptor, in: store) {
                rows.append(Self.row(name, entry, in: store))
            }
        }
        self.rows = rows.sorted {
            ($0.name, $0.platform?.description ?? "") < ($1.name, $1.platform?.description ?? "")
        }
    }

    private static func manifests(of descriptor: Descriptor, in store: Store) -> [Descriptor] {
        // What can't be read is a row that says so; `store check` tells why.
        guard descriptor.mediaType.isIndex,
            let bytes = try? store.document(descriptor.digest),
            let index = try? Index(decoding: bytes, contentType: descriptor.mediaType)
        else { return [descriptor] }
        let present = index.manifests.filter { entry in
            entry.mediaType.isManifest && (try? store.size(ofBlob: entry.digest)) != nil
        }
        return present.isEmpty ? [descriptor] : present
    }

    private static func row(_ name: String, _ descriptor: Descriptor, in store: Store) -> Row {
        var row = Row(name: name, manifest: descriptor.digest)
        guard descriptor.mediaType.isManifest,
            let image = try? DescribedImage(descriptor, in: store)
        else { return row }
        row.platform = image.config.platform.normalized
        row.size = image.manifest.layers.reduce(0) { $0 &+ $1.size }
        row.created = image.config.created
        return row
    }
}

extension DescribedImage {
    /// All that is known of the image as JSON for people: sorted keys, the documents whole, also where Lichen does not know a key.
    public func inspection(name: String?) -> String {
        var members: [String: JSONValue] = [
            "digest": .string(descriptor.digest.description),
            "mediaType": .string(descriptor.mediaType.rawValue),
            "platform": .string(config.platform.normalized.description),
            "size": .integer(manifest.layers.reduce(0) { $0 &+ $1.size }),
            "manifest": (try? JSONValue(decoding: manifestBytes)) ?? .null,
            "config": (try? JSONValue(decoding: configBytes)) ?? .null,
        ]
        if let name { members["name"] = .string(name) }
        // Both documents were read as JSON before; strings, numbers and collections of them can always be written.
        let bytes = (try? JSONValue.object(members).encoded(isPretty: true)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }
}
