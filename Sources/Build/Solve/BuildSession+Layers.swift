import Archive
import Layers
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

extension BuildSession {
    /// The listings of these layers. One that was never listed is read through once, from its blob.
    func stack(of layers: [SolvedLayer]) async throws -> LayerStack {
        var stack = LayerStack()
        for layer in layers {
            if let listing = try await layer.listing(in: store) {
                stack.push(listing)
            } else {
                let (record, store) = (try await layer.record, store)
                try await images.ensureBlobs([record])
                stack.push(try await blocking { try store.listing(making: record) })
            }
        }
        return stack
    }

    /// A small file of an image, read from its layer's blob; empty where there is none.
    func smallFile(_ path: String, in layers: [SolvedLayer]) async throws -> [UInt8] {
        let stack = try await stack(of: layers)
        guard let resolved = try? stack.resolve(path.utf8), resolved.entry?.kind == .file,
            let (_, index) = stack.lookup(resolved.path)
        else { return [] }
        let record = try await layers[index].record
        try await images.ensureBlobs([record])
        let store = store
        return try await blocking {
            // A name may be a hard link to another: then the blob is read once more.
            var readers: [(LayerReader, SharedDescriptor)] = []
            defer { withExtendedLifetime(readers) {} }
            let files = ImageFileReader(stack) { _ in
                guard let blob = try store.blob(record.blob.digest) else {
                    throw StoreError(.missingBlob(record.blob.digest))
                }
                let shared = SharedDescriptor(blob)
                let reader = try LayerReader(
                    DescriptorSource(shared.borrowed, called: "layer \(record.blob.digest)"))
                readers.append((reader, shared))
                return reader.tar
            }
            return try files.read(path) ?? []
        }
    }

    /// The numbers behind a USER; names are looked up in the image's own files.
    func identity(of word: String, in layers: [SolvedLayer]) async throws -> UserDatabase.Identity {
        let database = try await users(for: word, in: layers)
        do throws(UserDatabase.Unknown) { return try database.identity(of: word) } catch {
            throw BuildError(.instruction, error.description)
        }
    }

    /// The numbers behind a `--chown`.
    func owner(of word: String, in layers: [SolvedLayer]) async throws -> UserDatabase.Identity {
        let database = try await users(for: word, in: layers)
        do throws(UserDatabase.Unknown) { return try database.owner(of: word) } catch {
            throw BuildError(.instruction, error.description)
        }
    }

    /// The image's users, where `word` has a name in it; numbers alone need none.
    private func users(for word: String, in layers: [SolvedLayer]) async throws -> UserDatabase {
        if word.isEmpty || UserDatabase.isNumeric(word) {
            return UserDatabase(passwd: [], group: [])
        }
        return UserDatabase(
            passwd: try await smallFile("etc/passwd", in: layers),
            group: try await smallFile("etc/group", in: layers))
    }

    /// Makes a layer in this process, without a namespace: what `body` composes on `parent`.
    ///
    /// - Parameters:
    ///   - relay: passes its files on to the worker meanwhile.
    ///   - destinations: repositories that get the blob meanwhile.
    func compose(
        on parent: LayerStack, relay: TreeRelay? = nil, for destinations: [Reference] = [],
        _ body: @escaping @Sendable (inout LayerComposer) throws -> Void
    ) async throws -> PackedLayer? {
        let packed: Result<PackedLayer?, any Error>
        do {
            packed = .success(
                try await makeBlob(for: destinations) { file in
                    try await pack(into: file, on: parent, relay, body)
                })
        } catch { packed = .failure(error) }
        await relay?.finish(as: (try? packed.get())?.record.diffID)
        return try packed.get()
    }

    /// Makes a blob of the store: `body` writes its file, or nothing.
    func makeBlob(
        for destinations: [Reference], _ body: (FileDescriptor) async throws -> PackedLayer?
    ) async throws -> PackedLayer? {
        let blob = BlobInMaking(try store.newBlob())
        let followers = pusher.follow(blob.file, to: destinations)
        do {
            guard let packed = try await body(blob.file) else {
                pusher.abandon(followers)
                return nil
            }
            let descriptor = packed.record.blob
            // The last of it may go while it is synced; nobody looks for it in the store before it has its name.
            for follower in followers { follower.end(with: descriptor) }
            try await blocking { try blob.keep(as: descriptor.digest) }
            pusher.adopt(followers, as: descriptor)
            return packed
        } catch {
            pusher.abandon(followers)
            throw error
        }
    }

    private func pack(
        into file: FileDescriptor, on parent: LayerStack, _ relay: TreeRelay?,
        _ body: @escaping @Sendable (inout LayerComposer) throws -> Void
    ) async throws -> PackedLayer? {
        let (store, threads) = (store, request.jobs ?? Host.processorCount)
        let archives = archives
        let encoding = request.layerEncoding
        let (latest, now) = (request.sourceDateEpoch, now.secondsSinceEpoch)
        return try await blocking {
            if relay != nil { refuseBrokenPipeSignals() }
            var listing = ListingBuilder()
            let packed = try LayerPacking.pack(
                into: file, encoding, threads: threads, copyTo: relay?.writing
            ) { tar in
                var composer = LayerComposer(
                    parent: parent, to: tar, latest: latest, now: now, archives: archives)
                try body(&composer)
                listing = try composer.finish()
            }
            if listing.count == 0 { return nil }
            try store.keepListing(listing.encoded(), of: packed.record.diffID)
            return packed
        }
    }
}

/// A new blob that several threads hand on to each other.
private final class BlobInMaking: Sendable {
    private let blob: Mutex<NewBlob?>
    let file: FileDescriptor

    init(_ blob: consuming NewBlob) {
        file = blob.file.borrowed
        self.blob = Mutex(blob)
    }

    func keep(as digest: Digest) throws {
        guard let blob = blob.withLock({ $0.take() }) else { return }
        try blob.keep(as: digest)
    }
}
