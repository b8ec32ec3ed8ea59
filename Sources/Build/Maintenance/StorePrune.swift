import Layers
import OCI
public import Store

/// Removes from a store what nothing there needs any more. Trees are removed elsewhere: they take a user namespace.
public struct StorePrune: Sendable {
    /// What was removed.
    public struct Freed: Sendable, Equatable {
        /// Of blobs and listings.
        public var bytes: Int64 = 0
        public var blobs = 0
        public var listings = 0
        public var steps = 0

        public init() {}
    }

    private let store: Store

    public init(_ store: Store) { self.store = store }

    /// Removes blobs and listings that no named image and no step record needs, and step records whose layer is gone.
    ///
    /// Killed at any moment it leaves a whole store: records go before what they need.
    ///
    /// - Parameter all: removes all step records, too; only named images are left.
    /// - Throws: `StoreError`, `busy` while another process is in the store.
    public func run(all: Bool = false) throws -> Freed {
        let lock = try store.enterAlone()
        defer { withExtendedLifetime(lock) {} }
        return try runAlone(all: all)
    }

    /// The same for a caller who holds the store alone.
    func runAlone(all: Bool) throws -> Freed {
        store.sweep()
        var freed = Freed()
        let needs = ImageNeeds(of: try store.images(), in: store)
        var blobs = Set(needs.blobs.keys)
        var diffIDs = needs.diffIDs
        for (key, record) in try store.allSteps() {
            guard let record, !all else {
                try store.removeStep(key)
                freed.steps += 1
                continue
            }
            if let layer = record.layer {
                blobs.insert(layer.blob.digest)
                diffIDs.insert(layer.diffID)
            }
        }
        try removeListings(except: diffIDs, &freed)
        for (digest, size) in try store.allBlobs() where !blobs.contains(digest) {
            try store.removeBlob(digest)
            freed.blobs += 1
            freed.bytes += size
        }
        return freed
    }

    private func removeListings(except needed: Set<Digest>, _ freed: inout Freed) throws {
        for diffID in try store.allListings() where !needed.contains(diffID) {
            // A damaged one goes, too; its size does not matter.
            if let listing = try? store.listing(diffID) {
                let parts = listing.digestedParts
                freed.bytes += Int64(parts.content.count + parts.digest.count)
            }
            try store.removeListing(diffID)
            freed.listings += 1
        }
    }
}
