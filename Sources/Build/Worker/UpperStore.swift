import Archive
import Layers
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// What steps of this worker left behind: finished upper directories, which never change again.
final class UpperStore: Sendable {
    /// One finished upper directory. It can be renamed into the store at any time; the descriptor stays right.
    final class Upper: Sendable {
        let name: String
        let directory: OwnedDescriptor
        let changes: ChangeSet
        let listing: Listing
        /// The listing's file, for the builder.
        let listingFile: SharedDescriptor

        init(
            name: String, directory: consuming OwnedDescriptor, changes: ChangeSet,
            listing: Listing,
            listingFile: SharedDescriptor
        ) {
            self.name = name
            self.directory = directory
            self.changes = changes
            self.listing = listing
            self.listingFile = listingFile
        }
    }

    private let state = Mutex<(next: Int, uppers: [Int: Upper])>((1, [:]))

    /// A number for a new step.
    func newNumber() -> Int {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    subscript(number: Int) -> Upper? {
        get { state.withLock { $0.uppers[number] } }
        set { state.withLock { $0.uppers[number] = newValue } }
    }
}

/// Finds the trees of layers, and makes those that are missing: each once, several at a time.
final class TreeMaker: Sendable {
    private let store: Store
    private let area: WorkArea
    private let form: TreeForm
    private let unpacker: UnpackerClient
    private let locks = Mutex<[Digest: Lock]>([:])
    private let copies = Mutex<[String: SharedDescriptor]>([:])
    private let received = Mutex<(next: Int, trees: [Int: ReceivedTree])>((1, [:]))

    /// A tree that came as a tar, and has no name in the store yet.
    private struct ReceivedTree: Sendable {
        var name: String
        var diffID: Digest
        var listing: [UInt8]
    }

    init(store: Store, area: WorkArea, form: TreeForm, unpacker: UnpackerClient) {
        self.store = store
        self.area = area
        self.form = form
        self.unpacker = unpacker
    }

    /// Those of `layers` that have to be unpacked.
    func missing(of layers: [LayerRecord]) throws -> [LayerRecord] {
        var missing: [LayerRecord] = []
        for record in layers where try !isThere(record) && !missing.contains(record) {
            missing.append(record)
        }
        return missing
    }

    private func isThere(_ record: LayerRecord) throws -> Bool {
        try store.tree(record.diffID, form: form) != nil && store.listing(record.diffID) != nil
    }

    /// Open trees and listings of a stack of layers, bottom first.
    struct OpenLayers: Sendable {
        var trees: [SharedDescriptor]
        var stack: LayerStack

        /// One for each layer.
        var descriptors: [FileDescriptor] { trees.map(\.borrowed) }

        /// What overlay takes, which refuses the same directory twice: an empty layer is left out, and a layer that comes again
        /// is a copy.
        var mountable: [FileDescriptor] {
            zip(trees, stack.listings).compactMap { $1.count == 0 ? nil : $0.borrowed }
        }
    }

    func trees(of layers: [LayerSource], _ uppers: UpperStore) throws -> OpenLayers {
        try make(layers.compactMap { if case .stored(let record) = $0 { record } else { nil } })
        var result = OpenLayers(trees: [], stack: LayerStack())
        var seen: [Digest: Int] = [:]
        for layer in layers {
            switch layer {
            case .stored(let record):
                guard let tree = try store.tree(record.diffID, form: form),
                    let listing = try store.listing(record.diffID)
                else { throw StoreError(.damaged("the tree of \(record.diffID) vanished")) }
                let count = seen[record.diffID, default: 0]
                seen[record.diffID] = count + 1
                let isAgain = count > 0 && listing.count > 0
                result.trees.append(isAgain ? try copy(record, count) : SharedDescriptor(tree))
                result.stack.push(listing)
            case .upper(let number):
                guard let upper = uppers[number] else {
                    throw StoreError(.damaged("step \(number) left nothing"))
                }
                result.trees.append(SharedDescriptor(try upper.directory.duplicate()))
                result.stack.push(upper.listing)
            }
        }
        return result
    }

    /// Makes those trees that are missing, as many at a time as there are processors.
    func make(_ layers: [LayerRecord]) throws {
        try forEachConcurrently(try missing(of: layers), threads: Host.processorCount) {
            try self.makeTree($0)
        }
    }

    /// Unpacks a tar while it is being made elsewhere.
    ///
    /// - Returns: a number for `keep`, and the diff ID of what came.
    func receive(_ stream: SharedDescriptor) throws -> (number: Int, diffID: Digest) {
        let name = "tree-\(randomName(bytes: 4))"
        _ = try store.newTree(named: name, in: area)
        do {
            let (diffID, listing) = try unpacker.receive(
                stream, into: store.treePath(named: name, in: area))
            let tree = ReceivedTree(name: name, diffID: diffID, listing: listing)
            let number = received.withLock { received in
                defer { received.next += 1 }
                received.trees[received.next] = tree
                return received.next
            }
            return (number, diffID)
        } catch {
            // Perhaps there was no room for it: then there is now for what comes. The error above is the one that counts.
            try? removeTree(name.utf8, in: area.directory.borrowed)
            throw error
        }
    }

    /// Keeps a tree that was received as that of a layer, which it must be.
    func keep(_ number: Int, as diffID: Digest) throws {
        let tree = received.withLock { $0.trees.removeValue(forKey: number) }
        guard let tree, tree.diffID == diffID else {
            throw WorkerFailure(category: .bug, message: "tree \(number) is not that of \(diffID)")
        }
        try store.keepListing(tree.listing, of: diffID)
        try store.keepTree(named: tree.name, in: area, as: diffID, form: form)
    }

    /// Another tree of a layer that an image has more than once, for this worker alone.
    private func copy(_ record: LayerRecord, _ number: Int) throws -> SharedDescriptor {
        let lock = lock(record)
        lock.acquire()
        defer { lock.release() }
        let key = "\(record.diffID)-\(number)"
        if let copy = copies.withLock({ $0[key] }) { return copy }
        let name = "copy-\(randomName(bytes: 4))"
        let tree = try store.newTree(named: name, in: area)
        _ = try unpacker.unpack(record, into: store.treePath(named: name, in: area))
        let copy = SharedDescriptor(tree)
        copies.withLock { $0[key] = copy }
        return copy
    }

    private func lock(_ record: LayerRecord) -> Lock {
        locks.withLock { locks in
            let lock = locks[record.diffID] ?? Lock()
            locks[record.diffID] = lock
            return lock
        }
    }

    private func makeTree(_ record: LayerRecord) throws {
        let lock = lock(record)
        lock.acquire()
        defer { lock.release() }
        if try isThere(record) { return }
        let name = "tree-\(randomName(bytes: 4))"
        _ = try store.newTree(named: name, in: area)
        if try store.blob(record.blob.digest) == nil {
            throw StoreError(.missingBlob(record.blob.digest))
        }
        let listing = try unpacker.unpack(record, into: store.treePath(named: name, in: area))
        try store.keepListing(listing, of: record.diffID)
        try store.keepTree(named: name, in: area, as: record.diffID, form: form)
    }
}

/// Calls `body` for each element on up to `threads` threads; throws the first error when all have ended.
func forEachConcurrently<Element: Sendable>(
    _ elements: [Element], threads: Int, _ body: @escaping @Sendable (Element) throws -> Void
) throws {
    if elements.count < 2 || threads < 2 { return try elements.forEach(body) }
    let state = Mutex<(next: Int, failure: (any Error)?)>((0, nil))
    let done = ThreadGroup()
    for _ in 0..<min(threads, elements.count) {
        done.start {
            while true {
                let index = state.withLock { state -> Int? in
                    if state.failure != nil || state.next == elements.count { return nil }
                    defer { state.next += 1 }
                    return state.next
                }
                guard let index else { return }
                do { try body(elements[index]) } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
    }
    done.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure }
}
