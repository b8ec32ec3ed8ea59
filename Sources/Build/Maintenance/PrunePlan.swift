import OCI
public import Store

/// What a prune may take.
public struct PruneLimits: Sendable, Equatable {
    /// All that no named image needs: step records and trees, too.
    public var takesAll = false
    /// Only what was not used for so many seconds; and then step records and trees, too.
    public var unusedSeconds: Int64?
    /// The least recently used, until what no named image needs has no more bytes than this.
    public var keptBytes: Int64?

    public init() {}
}

/// One thing that a prune removes.
public struct PruneItem: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case step(Digest)
        case blob(Digest)
        /// Of the layer with this diff ID.
        case listing(Digest)
        case tree(Store.StoredTree)
    }

    public var kind: Kind
    /// Of a tree, what its listing says.
    public var bytes: Int64
    /// In seconds since 1970.
    public var used: Int64
}

/// What lies in a store, as a prune sees it.
struct PruneInventory: Sendable {
    struct Step: Sendable {
        var key: Digest
        /// Nil for one that can't be used any more.
        var layer: Needs?
        var use: FileUse
    }

    /// What a record needs; neither for a step that changed nothing.
    struct Needs: Sendable {
        var blob: Digest?
        var diffID: Digest?
    }

    var imageBlobs: Set<Digest> = []
    var imageDiffIDs: Set<Digest> = []
    var steps: [Step] = []
    var blobs: [Digest: FileUse] = [:]
    var listings: [Digest: FileUse] = [:]
    var trees: [(tree: Store.StoredTree, bytes: Int64)] = []
    /// The start of the oldest visit; what was used since is somebody's.
    var oldestVisit: Int64?
}

/// Which of the things in a store go. A value: made from an inventory, and tested without a disk.
///
/// A record goes before its layer is counted as free, so that nothing that stays lacks what it needs.
struct PrunePlan {
    private let inventory: PruneInventory
    private let unusedSince: Int64?
    private(set) var items: [PruneItem] = []
    /// How many records need a blob or a diff ID; those that are to go are not counted.
    private var blobCounts: [Digest: Int] = [:]
    private var diffIDCounts: [Digest: Int] = [:]
    private var steps: [Digest: PruneInventory.Step] = [:]
    private var blobs: [Digest: FileUse]
    private var listings: [Digest: FileUse]
    private var trees: [Store.StoredTree: Int64] = [:]
    /// Of all that no image needs.
    private var bytesLeft: Int64

    init(_ inventory: PruneInventory, _ limits: PruneLimits, now: Int64) {
        self.inventory = inventory
        unusedSince = limits.unusedSeconds.map { now &- $0 }
        // What an image needs is never looked at again; its trees can be made anew.
        blobs = inventory.blobs.filter { !inventory.imageBlobs.contains($0.key) }
        listings = inventory.listings.filter { !inventory.imageDiffIDs.contains($0.key) }
        bytesLeft = blobs.values.reduce(0) { $0 + $1.bytes }
        bytesLeft += listings.values.reduce(0) { $0 + $1.bytes }
        bytesLeft += inventory.trees.reduce(0) { $0 + $1.bytes }
        bytesLeft += inventory.steps.reduce(0) { $0 + $1.use.bytes }
        for (tree, bytes) in inventory.trees { trees[tree] = bytes }
        for step in inventory.steps {
            steps[step.key] = step
            if let blob = step.layer?.blob { blobCounts[blob, default: 0] += 1 }
            if let diffID = step.layer?.diffID { diffIDCounts[diffID, default: 0] += 1 }
        }
        takeSteps(all: limits.takesAll)
        takeUnneeded()
        takeTrees(all: limits.takesAll)
        if let bytes = limits.keptBytes { shrink(to: bytes) }
    }

    private func isFree(_ used: Int64) -> Bool { inventory.oldestVisit.map { used < $0 } ?? true }

    private func isOld(_ used: Int64) -> Bool { unusedSince.map { used < $0 } ?? true }

    private mutating func takeSteps(all: Bool) {
        for step in inventory.steps.sorted(by: { $0.key.hex < $1.key.hex }) {
            let goes = all || step.layer == nil || unusedSince != nil && isOld(step.use.used)
            if goes && isFree(step.use.used) { take(step) }
        }
    }

    /// What neither an image nor a record needs.
    private mutating func takeUnneeded() {
        for (diffID, use) in listings where isUnneeded(diffID: diffID) && isOld(use.used) {
            takeListing(diffID)
        }
        for (digest, use) in blobs where isUnneeded(blob: digest) && isOld(use.used) {
            takeBlob(digest)
        }
    }

    private mutating func takeTrees(all: Bool) {
        for tree in trees.keys {
            let isNeeded =
                inventory.imageDiffIDs.contains(tree.diffID) || !isUnneeded(diffID: tree.diffID)
            // One of another boot is nobody's.
            if !tree.isUsable || all || (unusedSince != nil || !isNeeded) && isOld(tree.used) {
                takeTree(tree)
            }
        }
    }

    // MARK: - Shrinking

    /// Takes the least recently used first: a record with what it alone needs, a tree, or what only its age has kept so far.
    private mutating func shrink(to limit: Int64) {
        enum Candidate {
            case step(PruneInventory.Step), tree(Store.StoredTree), listing(Digest), blob(Digest)
        }
        var candidates: [(used: Int64, candidate: Candidate)] = []
        candidates += steps.values.map { ($0.use.used, .step($0)) }
        candidates += trees.keys.map { ($0.used, .tree($0)) }
        candidates += blobs.filter { isUnneeded(blob: $0.key) }.map { ($1.used, .blob($0)) }
        candidates += listings.filter { isUnneeded(diffID: $0.key) }.map { ($1.used, .listing($0)) }
        for (used, candidate) in candidates.sorted(by: { $0.used < $1.used }) {
            if bytesLeft <= limit { return }
            guard isFree(used) else { continue }
            switch candidate {
            case .step(let step):
                take(step)
                if let blob = step.layer?.blob, isUnneeded(blob: blob) { takeBlob(blob) }
                guard let diffID = step.layer?.diffID, isUnneeded(diffID: diffID) else { continue }
                takeListing(diffID)
            case .tree(let tree): takeTree(tree)
            case .listing(let diffID): takeListing(diffID)
            case .blob(let digest): takeBlob(digest)
            }
        }
    }

    // MARK: - Taking

    private func isUnneeded(blob: Digest) -> Bool { blobCounts[blob, default: 0] == 0 }

    private func isUnneeded(diffID: Digest) -> Bool { diffIDCounts[diffID, default: 0] == 0 }

    private mutating func take(_ step: PruneInventory.Step) {
        guard steps.removeValue(forKey: step.key) != nil else { return }
        if let blob = step.layer?.blob { blobCounts[blob, default: 1] -= 1 }
        if let diffID = step.layer?.diffID { diffIDCounts[diffID, default: 1] -= 1 }
        add(.step(step.key), step.use)
    }

    private mutating func takeBlob(_ digest: Digest) {
        guard let use = blobs[digest], isFree(use.used) else { return }
        blobs[digest] = nil
        add(.blob(digest), use)
    }

    private mutating func takeListing(_ diffID: Digest) {
        guard let use = listings[diffID], isFree(use.used) else { return }
        listings[diffID] = nil
        add(.listing(diffID), use)
    }

    private mutating func takeTree(_ tree: Store.StoredTree) {
        guard let bytes = trees[tree], isFree(tree.used) else { return }
        trees[tree] = nil
        add(.tree(tree), FileUse(bytes: bytes, used: tree.used))
    }

    private mutating func add(_ kind: PruneItem.Kind, _ use: FileUse) {
        bytesLeft -= use.bytes
        items.append(PruneItem(kind: kind, bytes: use.bytes, used: use.used))
    }
}
