import Linux
public import OCI
import SystemPackage

extension Store {
    private static let nameAnnotation = "org.opencontainers.image.ref.name"

    /// The named images: canonical reference and manifest. In the order of the index.
    public func images() throws(StoreError) -> [(name: String, manifest: Descriptor)] {
        try index().manifests.compactMap { descriptor in
            descriptor.annotations[Self.nameAnnotation].map { ($0, descriptor) }
        }
    }

    /// The image that `name` stands for; nil where the store has none.
    public func image(_ name: String) throws(StoreError) -> Descriptor? {
        try images().first { $0.name == name }?.manifest
    }

    /// Lets `name` stand for `manifest`, whose blobs are all here or known.
    public func setImage(_ name: String, to manifest: Descriptor) throws(StoreError) {
        try changeIndex { manifests in
            var entry = manifest
            entry.annotations[Self.nameAnnotation] = name
            manifests.removeAll { $0.annotations[Self.nameAnnotation] == name }
            manifests.append(entry)
        }
    }

    /// Takes a name away; its blobs go with the next prune. False where there was none.
    public func removeImage(_ name: String) throws(StoreError) -> Bool {
        var found = false
        try changeIndex { manifests in
            let count = manifests.count
            manifests.removeAll { $0.annotations[Self.nameAnnotation] == name }
            found = manifests.count != count
        }
        return found
    }

    private func index() throws(StoreError) -> Index {
        guard let bytes = try read("index.json", limit: DocumentLimits.manifestBytes) else {
            return Index(manifests: [])
        }
        guard case .index(let index)? = try? ManifestDocument(decoding: bytes, contentType: .index)
        else {
            throw StoreError(.damaged("index.json can't be read"))
        }
        return index
    }

    /// One change at a time, among all processes.
    private func changeIndex(_ change: (inout [Descriptor]) -> Void) throws(StoreError) {
        let lock = try StoreError.during("lock index.json") { () throws(Errno) in
            try FileLock(try openLock("index.lock"), .exclusive)
        }
        var index = try index()
        change(&index.manifests)
        try write(index.encoded(), to: "index.json", in: root.borrowed)
        _ = consume lock
    }
}
