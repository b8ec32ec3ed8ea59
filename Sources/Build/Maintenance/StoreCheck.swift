import Archive
import Layers
import Linux
import OCI
public import Store
import Synchronization

/// Looks whether everything in a store is what it is said to be.
public struct StoreCheck: Sendable {
    private let store: Store

    public init(_ store: Store) { self.store = store }

    /// All problems, sorted by what they are about. Reads every byte of the store, on `jobs` threads.
    ///
    /// Builds and prunes may go on meanwhile.
    public func problems(jobs: Int) async throws -> [StoreProblem] {
        // Nothing that is only checked counts as used.
        try await StoreCheck(try store.onlooker()).problemsOfOnlooker(jobs: jobs)
    }

    private func problemsOfOnlooker(jobs: Int) async throws -> [StoreProblem] {
        let needs = try needs()
        var tasks: [StoreProblem.Subject] = try store.allBlobs().map { .blob($0.digest) }
        tasks += try store.allListings().map { .listing($0) }
        tasks += try store.allSteps().map { .step($0.key) }
        let known = Set(needs.problems.map(\.subject))
        let found = try await find(in: tasks, jobs: max(1, jobs), needs)
        return (needs.problems + found.filter { !known.contains($0.subject) })
            .sorted { $0.description < $1.description }
    }

    /// What the images need, with no prune between the look at a name and that at its documents.
    private func needs() throws -> ImageNeeds {
        let lock = try store.lockAlone()
        defer { withExtendedLifetime(lock) {} }
        return ImageNeeds(of: try store.images(), in: store)
    }

    /// Removes what `problems` found damaged, so that it is made or fetched again; and the names of images that can't be
    /// described without it. What was only not here is left alone.
    ///
    /// - Returns: the names. Their images are pulled or built again, as any other that is not here.
    /// - Throws: `busy` while a build runs: it may be reading what is damaged.
    @discardableResult
    public func mend(_ problems: [StoreProblem]) throws -> [String] {
        let damage = problems.filter(\.isDamage)
        if damage.isEmpty { return [] }
        let onlooker = StoreCheck(try store.onlooker())
        try onlooker.remove(damage)
        // A layer that is gone is fetched or made when it is needed. A manifest or a config that is gone is an image that is not here.
        let names = Set(try onlooker.needs().problems.filter(\.isDamage).flatMap(\.images))
        return try names.sorted().filter { name throws in try store.removeImage(name) }
    }

    private func remove(_ damage: [StoreProblem]) throws {
        let lock = try store.enterAlone()
        defer { withExtendedLifetime(lock) {} }
        for problem in damage {
            switch problem.subject {
            case .blob(let digest): try store.removeBlob(digest)
            case .listing(let diffID): try store.removeListing(diffID)
            case .step(let key): try store.removeStep(key)
            }
        }
    }

    private func find(
        in tasks: [StoreProblem.Subject], jobs: Int, _ needs: ImageNeeds
    ) async throws -> [StoreProblem] {
        let queue = TaskQueue(tasks)
        return try await withThrowingTaskGroup(of: [StoreProblem].self) { group in
            for _ in 0..<min(jobs, max(tasks.count, 1)) {
                group.addTask {
                    try await blocking {
                        var found: [StoreProblem] = []
                        while !queue.isStopped, let subject = queue.next() {
                            if let problem = try check(subject, needs) { found.append(problem) }
                        }
                        return found
                    }
                }
            }
            return try await withTaskCancellationHandler {
                try await group.reduce(into: []) { $0 += $1 }
            } onCancel: {
                queue.stop()
            }
        }
    }

    private func check(_ subject: StoreProblem.Subject, _ needs: ImageNeeds) throws
        -> StoreProblem?
    {
        let finding =
            switch subject {
            case .blob(let digest): try checkBlob(digest)
            case .listing(let diffID): try checkListing(diffID)
            case .step(let key): try store.step(key) == nil ? StoreProblem.Finding.unusable : nil
            }
        guard let finding else { return nil }
        var images: [String] = []
        if case .blob(let digest) = subject { images = needs.images(needing: digest) }
        return StoreProblem(subject: subject, finding: finding, images: images)
    }

    private func checkBlob(_ digest: Digest) throws -> StoreProblem.Finding? {
        // One that has gone since was not needed.
        guard let file = try store.blob(digest) else { return nil }
        var hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        do {
            while true {
                let count = try file.borrowed.readOnce(into: buffer)
                if count == 0 { break }
                hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        } catch {
            return .unreadable(error.inWords)
        }
        return Digest(sha256: hash.finish()) == digest ? nil : .wrongDigest
    }

    private func checkListing(_ diffID: Digest) throws -> StoreProblem.Finding? {
        let listing: Listing
        do {
            guard let found = try store.listing(diffID) else { return nil }
            listing = found
        } catch let error as LayerError {
            return .unreadable("\(error)")
        }
        let parts = listing.digestedParts
        if SHA256.digest(of: parts.content) != parts.digest { return .wrongDigest }
        var last: TreePath?
        var isSorted = true
        listing.forEach { path, _ in
            if let last, !(last < path) { isSorted = false }
            last = path
        }
        return isSorted ? nil : .unreadable("its paths are not in order")
    }
}

/// Work that threads take one by one.
private final class TaskQueue: Sendable {
    private let tasks: [StoreProblem.Subject]
    private let position = Atomic(0)
    private let stopped = Atomic(false)

    init(_ tasks: [StoreProblem.Subject]) { self.tasks = tasks }

    var isStopped: Bool { stopped.load(ordering: .relaxed) }

    func stop() { stopped.store(true, ordering: .relaxed) }

    func next() -> StoreProblem.Subject? {
        let index = position.add(1, ordering: .relaxed).oldValue
        return index < tasks.count ? tasks[index] : nil
    }
}
