import Linux
import OCI
import Registry
import Store
import Synchronization
import SystemPackage

/// Sends images to registries: what one has already is not sent, what it has in another repository is lent.
///
/// A blob can be begun with when it is finished or even before, long before the manifest that names it.
final class ImagePusher: Sendable {
    let store: Store
    let source: ImageSource
    let observer: BuildObserver
    /// One upload per blob and repository, however many ask.
    private let uploads = Mutex<[Upload: Task<Void, any Error>]>([:])
    private let early = Mutex(Early())
    private let turns = UploadTurns()
    /// New blobs up to this size are sent without a question.
    private static let largestUnasked = 32 << 10
    /// So many blobs go up beside the build.
    private static let mostEarly = 2

    private struct Early {
        var tasks: [Task<Void, any Error>] = []
        /// Of blobs that are being packed.
        var growing: [EarlyUpload] = []
        /// Blobs that were made just now: most likely no registry has them.
        var new: Set<Digest> = []
        var hasEnded = false
    }

    private struct Upload: Hashable {
        var digest: Digest
        var registry, repository: String

        init(_ blob: Descriptor, _ reference: Reference) {
            digest = blob.digest
            (registry, repository) = (reference.registry, reference.repository)
        }
    }

    init(store: Store, source: ImageSource, observer: @escaping BuildObserver) {
        self.store = store
        self.source = source
        self.observer = observer
    }

    /// Begins to send a finished blob that a manifest will name. What becomes of it is for `push` to say.
    func begin(_ blob: Descriptor, to references: [Reference]) {
        early.withLock { early in
            early.new.insert(blob.digest)
            if early.hasEnded { return }
            for reference in references {
                let turn = early.tasks.dropLast(Self.mostEarly - 1).last
                early.tasks.append(upload(blob, to: reference, after: turn))
            }
        }
    }

    /// Begins to send a blob that is being packed into `file`. Whoever packs tells the uploads when it has ended, and then calls
    /// `adopt` or `abandon`.
    func follow(_ file: FileDescriptor, to references: [Reference]) -> [EarlyUpload] {
        var uploads: [EarlyUpload] = []
        for reference in references
        where !uploads.contains(where: {
            $0.reference.registry == reference.registry
                && $0.reference.repository == reference.repository
        }) {
            // What is wrong is told to who sends the blob when it is whole.
            guard let client = try? source.client(reference.registry), let own = try? file.shared()
            else { continue }
            uploads.append(EarlyUpload(of: own, to: reference, client, turns))
        }
        early.withLock { early in
            if early.hasEnded { uploads.forEach { $0.cancel() } }
            early.growing += uploads
        }
        return uploads
    }

    /// Takes what follows a blob, which has its name by now, for the uploads of it.
    func adopt(_ followers: [EarlyUpload], as blob: Descriptor) {
        early.withLock { early in
            early.growing.removeAll { known in followers.contains { $0 === known } }
            for follower in followers where follower.hasBegun {
                if early.hasEnded || isBegun(blob, follower.reference) {
                    follower.cancel()
                } else {
                    _ = upload(blob, following: follower)
                }
            }
        }
    }

    /// Ends what follows a blob of which nothing comes.
    func abandon(_ followers: [EarlyUpload]) {
        for follower in followers { follower.end(with: nil) }
        early.withLock { early in
            early.growing.removeAll { known in followers.contains { $0 === known } }
        }
    }

    private func isBegun(_ blob: Descriptor, _ reference: Reference) -> Bool {
        uploads.withLock { $0[Upload(blob, reference)] != nil }
    }

    private func upload(_ blob: Descriptor, following follower: EarlyUpload) -> Task<
        Void, any Error
    > {
        let progress = TransferProgress(.upload, blob, observer, source.counter)
        return upload(blob, to: follower.reference) { client in
            if await follower.hasSucceeded {
                progress.sent(follower.sentBytes)
                return progress.done(moved: true)
            }
            // In vain, but over the network all the same.
            self.source.counter.add(.upload, Int64(follower.sentBytes))
            try Task.checkCancellation()
            try await self.push(blob: blob, to: follower.reference, client)
        }
    }

    /// Ends what was begun and nobody waits for any more, and begins nothing new.
    func end() async {
        let growing = early.withLock { early in
            early.hasEnded = true
            return early.growing
        }
        for upload in growing { upload.cancel() }
        let tasks = uploads.withLock { Array($0.values) }
        for task in tasks { task.cancel() }
        for task in tasks { _ = try? await task.value }
    }

    private func upload(
        _ blob: Descriptor, to reference: Reference, after turn: Task<Void, any Error>? = nil
    ) -> Task<Void, any Error> {
        upload(blob, to: reference) { client in
            _ = try? await turn?.value
            try Task.checkCancellation()
            try await self.push(blob: blob, to: reference, client)
        }
    }

    /// One task for a blob and a repository: that of whoever comes first.
    private func upload(
        _ blob: Descriptor, to reference: Reference,
        _ body: @escaping @Sendable (RegistryClient) async throws -> Void
    ) -> Task<Void, any Error> {
        let key = Upload(blob, reference)
        return uploads.withLock { uploads in
            if let task = uploads[key] { return task }
            let task = Task { try await body(self.source.client(reference.registry)) }
            uploads[key] = task
            return task
        }
    }

    /// Pushes a manifest, its config and its layers to `reference`. Where the tag says the same already, one request is all.
    ///
    /// - Parameter isNew: the manifest was made just now: then the tag is not asked what it says.
    func push(_ descriptor: Descriptor, to reference: Reference, isNew: Bool = false) async throws {
        guard let bytes = try store.document(descriptor.digest) else {
            throw StoreError(.missingBlob(descriptor.digest))
        }
        do {
            let client = try source.client(reference.registry)
            let name = ManifestName(reference)
            if !isNew, let there = try await client.findManifest(name, in: reference.repository),
                there.digest == descriptor.digest
            {
                return
            }
            try await pushContent(of: bytes, isNew: isNew, to: reference, client)
            _ = try await client.pushManifest(
                bytes, descriptor.mediaType, to: reference.repository, as: name)
        } catch let error as RegistryError { throw BuildError(error) }
    }

    private func pushContent(
        of bytes: [UInt8], isNew: Bool, to reference: Reference, _ client: RegistryClient
    ) async throws {
        switch try ManifestDocument(decoding: bytes) {
        case .manifest(let manifest):
            if isNew { early.withLock { _ = $0.new.insert(manifest.config.digest) } }
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Few at a time: each has a connection and a thread.
                var running = 0
                for blob in Set(manifest.layers + [manifest.config]) {
                    if running == 4 { try await group.next() } else { running += 1 }
                    group.addTask {
                        let task = self.upload(blob, to: reference)
                        try await withTaskCancellationHandler {
                            try await task.value
                        } onCancel: {
                            task.cancel()
                        }
                    }
                }
                try await group.waitForAll()
            }
        case .index(let index):
            for entry in index.manifests {
                guard let inner = try store.document(entry.digest) else {
                    let platform = entry.platform.map { " for \($0)" } ?? ""
                    throw StoreError(
                        .missingBlob(entry.digest),
                        hint: "it is the index's image\(platform); lichen pull --platform brings it"
                    )
                }
                try await pushContent(of: inner, isNew: isNew, to: reference, client)
                _ = try await client.pushManifest(
                    inner, entry.mediaType, to: reference.repository, as: .digest(entry.digest))
            }
        }
    }

    private func push(blob: Descriptor, to reference: Reference, _ client: RegistryClient)
        async throws
    {
        let progress = TransferProgress(.upload, blob, observer, source.counter)
        let lender = source.lender(of: blob.digest, at: reference.registry)
        if try await isThere(blob, reference, client, lender) { return progress.done(moved: false) }
        try await source.ensureBlobs([LayerRecord(diffID: blob.digest, blob: blob)])
        guard let file = try store.blob(blob.digest) else {
            throw StoreError(.missingBlob(blob.digest))
        }
        try await client.observed(by: progress).uploadBlob(
            blob, from: file.borrowed, to: reference.repository)
        progress.done(moved: true)
    }

    /// Whether the registry has the blob, or takes it from another of its repositories.
    private func isThere(
        _ blob: Descriptor, _ reference: Reference, _ client: RegistryClient, _ lender: String?
    ) async throws -> Bool {
        // To ask for what is hardly there takes as long as to send it.
        let isNew = early.withLock { $0.new.contains(blob.digest) }
        if isNew, blob.size <= Self.largestUnasked { return false }
        if try await client.findBlob(blob.digest, in: reference.repository) != nil { return true }
        guard let lender, lender != reference.repository else { return false }
        return try await client.mountBlob(blob.digest, from: lender, into: reference.repository)
    }
}
