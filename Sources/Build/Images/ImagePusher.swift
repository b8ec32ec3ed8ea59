import Linux
import OCI
import Registry
import Store

/// Sends an image to a registry: what it has already is not sent, what it has in another repository is lent.
struct ImagePusher: Sendable {
    let store: Store
    let source: ImageSource
    let observer: BuildObserver

    /// Pushes a manifest, its config and its layers to `reference`. Where the tag says the same already, one request is all.
    func push(_ descriptor: Descriptor, to reference: Reference) async throws {
        guard let bytes = try store.document(descriptor.digest) else {
            throw StoreError(.missingBlob(descriptor.digest))
        }
        do {
            let client = try source.client(reference.registry)
            let name = ManifestName(reference)
            if let there = try await client.findManifest(name, in: reference.repository),
                there.digest == descriptor.digest
            {
                return
            }
            try await pushContent(of: bytes, to: reference, client)
            _ = try await client.pushManifest(
                bytes, descriptor.mediaType, to: reference.repository, as: name)
        } catch let error as RegistryError { throw BuildError(error, reference) }
    }

    private func pushContent(of bytes: [UInt8], to reference: Reference, _ client: RegistryClient)
        async throws
    {
        switch try ManifestDocument(decoding: bytes) {
        case .manifest(let manifest):
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Few at a time: each has a connection and a thread.
                var running = 0
                for blob in Set(manifest.layers + [manifest.config]) {
                    if running == 4 { try await group.next() } else { running += 1 }
                    group.addTask { try await self.push(blob: blob, to: reference, client) }
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
                try await pushContent(of: inner, to: reference, client)
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

    private func isThere(
        _ blob: Descriptor, _ reference: Reference, _ client: RegistryClient, _ lender: String?
    ) async throws -> Bool {
        if try await client.findBlob(blob.digest, in: reference.repository) != nil { return true }
        guard let lender, lender != reference.repository else { return false }
        return try await client.mountBlob(blob.digest, from: lender, into: reference.repository)
    }
}

extension BuildError {
    /// A registry's refusal, in words with a remedy.
    init(_ error: RegistryError, _ reference: Reference) {
        let category: Category = error.isNotFound ? .input : .network
        self.init(category, "\(error)", hint: error.hint)
    }
}
