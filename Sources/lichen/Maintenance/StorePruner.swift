import OCI
import Store

/// Removes from a store what nothing needs.
struct StorePruner {
    /// What was removed.
    struct Removed: Equatable {
        var files = 0
        var bytes: Int64 = 0
    }

    let store: Store

    /// Named images keep their blobs and listings; unless `all` is set, so do the records of steps.
    ///
    /// What is removed is removed in an order in which nothing that stays names something that is gone. Unpacked trees stay: they
    /// belong to subordinate ids.
    ///
    /// - Throws: `StoreError` `busy` while a build runs in the store.
    func prune(all: Bool) throws -> Removed {
        let lock = try store.enterAlone()
        defer { withExtendedLifetime(lock) {} }
        var needed = Needed()
        for image in try store.images() { try addImage(image.manifest.digest, to: &needed) }
        var removed = Removed()
        for (key, record) in try store.allSteps() {
            if let record, !all {
                needed.add(record.layer)
            } else {
                try store.removeStep(key)
                removed.files += 1
            }
        }
        for diffID in try store.allListings() where !needed.diffIDs.contains(diffID) {
            try store.removeListing(diffID)
            removed.files += 1
        }
        for (digest, size) in try store.allBlobs() where !needed.blobs.contains(digest) {
            try Task.checkCancellation()
            try store.removeBlob(digest)
            removed.files += 1
            removed.bytes += size
        }
        return removed
    }

    private struct Needed {
        var blobs: Set<Digest> = []
        var diffIDs: Set<Digest> = []

        mutating func add(_ layer: LayerRecord?) {
            guard let layer else { return }
            blobs.insert(layer.blob.digest)
            diffIDs.insert(layer.diffID)
        }
    }

    /// A manifest and what it names, or an index and those of its manifests that are here.
    private func addImage(_ digest: Digest, to needed: inout Needed) throws {
        guard needed.blobs.insert(digest).inserted, let bytes = try store.document(digest) else {
            return
        }
        switch try ManifestDocument(decoding: bytes) {
        case .index(let index):
            for entry in index.manifests { try addImage(entry.digest, to: &needed) }
        case .manifest(let manifest):
            needed.blobs.insert(manifest.config.digest)
            needed.blobs.formUnion(manifest.layers.map(\.digest))
            guard let config = try store.document(manifest.config.digest) else { return }
            needed.diffIDs.formUnion(try ImageConfig(decoding: config).diffIDs)
        }
    }
}
