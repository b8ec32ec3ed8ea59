import Archive
import Layers
import Linux
import OCI
import Store

extension BuildSession {
    /// The listings of these layers. One that was never listed is read through once, from its blob.
    func stack(of layers: [SolvedLayer]) async throws -> LayerStack {
        var stack = LayerStack()
        for layer in layers {
            if let listing = try await layer.listing(in: store) {
                stack.push(listing)
            } else {
                stack.push(try await list(try await layer.record))
            }
        }
        return stack
    }

    private func list(_ record: LayerRecord) async throws -> Listing {
        try await images.ensureBlobs([record])
        let store = store
        return try await blocking {
            guard let blob = try store.blob(record.blob.digest) else {
                throw StoreError(.missingBlob(record.blob.digest))
            }
            let reader = try LayerReader(DescriptorSource(blob.borrowed))
            let listing = try LayerIndexer.listing(of: reader.tar)
            let diffID = Digest(sha256: try reader.finish().diffID)
            if diffID != record.diffID {
                throw StoreError(.wrongDigest(expected: record.diffID, actual: diffID))
            }
            return try store.keepListing(listing.encoded(), of: diffID)
        }
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
            guard let blob = try store.blob(record.blob.digest) else {
                throw StoreError(.missingBlob(record.blob.digest))
            }
            let reader = try LayerReader(DescriptorSource(blob.borrowed))
            while let entry = try reader.tar.next() {
                guard entry.kind == .file, TreePath(entry.path) == resolved.path else { continue }
                return try reader.tar.data(of: entry, limit: UserDatabase.largestFile)
            }
            return []
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
    func compose(
        on parent: LayerStack, _ body: @escaping @Sendable (inout LayerComposer) throws -> Void
    ) async throws -> PackedLayer? {
        let (store, threads) = (store, request.jobs ?? Host.processorCount)
        let (latest, now) = (request.sourceDateEpoch, now.secondsSinceEpoch)
        return try await blocking {
            var listing = ListingBuilder()
            let packed = try LayerPacking.pack(into: store, threads: threads) { tar in
                var composer = LayerComposer(parent: parent, to: tar, latest: latest, now: now)
                try body(&composer)
                listing = try composer.finish()
            }
            if listing.count == 0 { return nil }
            try store.keepListing(listing.encoded(), of: packed.record.diffID)
            return packed
        }
    }
}
