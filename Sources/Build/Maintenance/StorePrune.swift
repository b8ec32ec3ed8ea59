import Layers
import Linux
import OCI
public import Store

/// Removes from a store what nothing there needs any more, or what was not used for long. Builds may go on meanwhile: what
/// they have looked at or made stays (`Visit` says how).
public struct StorePrune: Sendable {
    /// What was removed.
    public struct Freed: Sendable, Equatable {
        public var bytes: Int64 = 0
        public var blobs = 0
        public var listings = 0
        public var steps = 0
        public var trees = 0

        public init() {}

        public init(_ items: [PruneItem]) {
            for item in items {
                bytes += item.bytes
                switch item.kind {
                case .step: steps += 1
                case .blob: blobs += 1
                case .listing: listings += 1
                case .tree: trees += 1
                }
            }
        }
    }

    private let store: Store

    public init(_ store: Store) { self.store = store }

    /// What would go now.
    public func preview(_ limits: PruneLimits = PruneLimits()) throws -> [PruneItem] {
        let onlooker = try store.onlooker()
        let lock = try onlooker.lockAlone()
        defer { withExtendedLifetime(lock) {} }
        return try Self.items(in: onlooker, limits).sorted { $0.used < $1.used }
    }

    /// Removes what `limits` allow, and step records whose layer is gone.
    ///
    /// Without limits, blobs, listings and trees go that no named image and no step record needs. Killed at any moment it leaves
    /// a whole store: records go before what they need. The files of trees are only set aside: they are removed where their
    /// ids are mapped. Builds that look for something wait meanwhile; that takes moments.
    @discardableResult
    public func run(_ limits: PruneLimits = PruneLimits()) throws -> Freed {
        store.sweep()
        let onlooker = try store.onlooker()
        let lock = try onlooker.lockAlone()
        defer { withExtendedLifetime(lock) {} }
        let items = try Self.items(in: onlooker, limits)
        var trees: [Store.StoredTree] = []
        for item in items {
            switch item.kind {
            case .step(let key): try onlooker.removeStep(key)
            case .blob(let digest): try onlooker.removeBlob(digest)
            case .listing(let diffID): try onlooker.removeListing(diffID)
            case .tree(let tree): trees.append(tree)
            }
        }
        // Last: on a full disk there is room for their new place now.
        try onlooker.setAside(trees)
        return Freed(items)
    }

    private static func items(in store: Store, _ limits: PruneLimits) throws -> [PruneItem] {
        let plan = PrunePlan(
            try PruneInventory(of: store), limits, now: wallClockSeconds())
        return plan.items
    }
}

extension PruneInventory {
    /// Of a caller who has the lock, and who looks through a store that marks nothing.
    init(of store: Store) throws {
        oldestVisit = try store.oldestVisit()
        let needs = ImageNeeds(of: try store.images(), in: store)
        imageBlobs = Set(needs.blobs.keys)
        imageDiffIDs = needs.diffIDs
        for (key, record) in try store.allSteps() {
            guard let use = try store.use(ofStep: key) else { continue }
            let needs = record.map { Needs(blob: $0.layer?.blob.digest, diffID: $0.layer?.diffID) }
            steps.append(Step(key: key, layer: needs, use: use))
        }
        for (digest, _) in try store.allBlobs() { blobs[digest] = try store.use(ofBlob: digest) }
        for diffID in try store.allListings() {
            listings[diffID] = try store.use(ofListing: diffID)
        }
        trees = try store.allTrees().map { ($0, Self.bytes(of: $0, in: store)) }
    }

    /// More than any disk has: a layer may say of sparse files what it likes.
    private static let largestTree: Int64 = 1 << 46

    /// What a tree takes on the disk, by its listing: its files may not be ours to look at. None where there is no listing.
    private static func bytes(of tree: Store.StoredTree, in store: Store) -> Int64 {
        guard let listing = try? store.listing(tree.diffID) else { return 0 }
        var bytes: Int64 = 0
        listing.forEach { _, entry in
            guard entry.kind == .file else { return }
            let size = Int64(clamping: min(entry.size, UInt64(largestTree)))
            bytes = min(bytes + (size + 4095) / 4096 * 4096, largestTree)
        }
        return bytes
    }
}
