import Credentials
import HTTP
import Linux
import OCI
import Registry
import Store
import Synchronization
import SystemPackage

/// An image to build on: its config, and its layers with the names under which they are found.
struct BaseImage: Sendable {
    /// What messages call it.
    var name: String
    /// What the name stands for: a manifest, or an index of several.
    var top: Descriptor
    var manifest: Manifest
    var config: ImageConfig
    var layers: [LayerRecord]
}

/// Finds images in the store and at registries, and fetches blobs when somebody needs them: each once.
final class ImageSource: Sendable {
    let store: Store
    private let http: HTTPClient
    private let options: RegistryOptions
    private let authorizer: RegistryAuthorizer
    private let observer: BuildObserver
    let policy: BuildRequest.PullPolicy
    /// One look-up per name and platform, and one download per blob, however many ask.
    let state = Mutex(State())
    let counter = TransferCounter()

    /// A manifest or an index, as it came.
    typealias Top = (descriptor: Descriptor, bytes: [UInt8])

    struct State {
        var images: [String: Task<BaseImage, any Error>] = [:]
        /// What each name stands for: one answer for all platforms.
        var tops: [String: Task<Top, any Error>] = [:]
        var blobs: [Digest: Task<Void, any Error>] = [:]
        /// Where a blob that is not here can be had.
        var origins: [Digest: Reference] = [:]
        var clients: [String: RegistryClient] = [:]
    }

    init(store: Store, request: BuildRequest, observer: @escaping BuildObserver) {
        self.store = store
        self.observer = observer
        policy = request.pull
        http = HTTPClient(userAgent: "lichen/\(lichenVersion)")
        var options = RegistryOptions()
        options.plainHTTP = request.plainHTTPRegistries
        options.insecure = request.insecureRegistries
        let places = CredentialPlaces.ofProcess
        options.certificates = CertificateDirectories(places)
        self.options = options
        authorizer = RegistryAuthorizer(
            http: http, credentials: CredentialStore(places), options: options)
    }

    // MARK: - Images

    /// The image that a FROM names, for `platform`. No layer is fetched.
    func image(_ reference: Reference, _ platform: Platform) async throws -> BaseImage {
        let key = "\(reference) \(platform)"
        let task = state.withLock { state in
            if let task = state.images[key] { return task }
            let task = Task { try await self.resolve(reference, platform) }
            state.images[key] = task
            return task
        }
        return try await task.value
    }

    private func resolve(_ reference: Reference, _ platform: Platform) async throws -> BaseImage {
        let task = state.withLock { state in
            if let task = state.tops["\(reference)"] { return task }
            let task = Task { try await self.top(reference) }
            state.tops["\(reference)"] = task
            return task
        }
        let top = try await task.value
        let image = try await image(reference.familiar, at: reference, top, platform)
        // Named when its documents are here: a name always leads to an image that can be described.
        if reference.tag != nil,
            try store.image(reference.description)?.digest != top.descriptor.digest
        {
            try store.setImage(reference.description, to: top.descriptor)
        }
        return image
    }

    /// - Parameter reference: where what the store does not have is fetched; nil for an image that is here as a whole.
    func image(
        _ name: String, at reference: Reference?, _ top: (descriptor: Descriptor, bytes: [UInt8]),
        _ platform: Platform
    ) async throws -> BaseImage {
        let manifest: Manifest
        switch try ManifestDocument(decoding: top.bytes, contentType: top.descriptor.mediaType) {
        case .manifest(let found): manifest = found
        case .index(let index):
            guard let entry = index.descriptor(for: platform) else {
                let platforms = index.platforms.map(\.description).joined(separator: ", ")
                throw BuildError(
                    .input, "\(name) has no image for \(platform)",
                    hint: "it is there for: \(platforms)")
            }
            guard
                case .manifest(let found) = try ManifestDocument(
                    decoding: try await document(entry, at: reference))
            else { throw BuildError(.input, "\(name): an index within an index") }
            manifest = found
        }
        do { try manifest.checkIsImage() } catch { throw BuildError(.input, "\(name): \(error)") }
        let config = try ImageConfig(
            decoding: try await document(manifest.config, at: reference), of: manifest)
        // Another architecture is only warned of, as everywhere (InvalidBaseImagePlatform): many images state a wrong one. What is
        // for another system has layers that mean something else.
        if !config.os.isEmpty, config.os != platform.os {
            throw BuildError(
                .input,
                "\(name) is an image for \(Harmless.text(config.os, limit: 40)), not for \(platform.os)"
            )
        }
        let layers = zip(manifest.layers, config.diffIDs).map { LayerRecord(diffID: $1, blob: $0) }
        state.withLock { state in
            guard let reference else { return }
            for layer in layers { state.origins[layer.blob.digest] = reference }
        }
        // What is here is marked as used, and a prune leaves it: it may not be had again.
        for layer in layers { _ = try store.size(ofBlob: layer.blob.digest) }
        for layer in manifest.layers where layer.mediaType.isNondistributable {
            throw BuildError(
                .input, "\(name) has a layer that its registry does not hold")
        }
        return BaseImage(
            name: name, top: top.descriptor, manifest: manifest, config: config,
            layers: layers)
    }

    /// A small blob, of the store or of the registry.
    private func document(_ descriptor: Descriptor, at reference: Reference?) async throws
        -> [UInt8]
    {
        if let bytes = try store.document(descriptor.digest) { return bytes }
        guard let reference else { throw StoreError(.missingBlob(descriptor.digest)) }
        if descriptor.mediaType.isManifest || descriptor.mediaType.isIndex {
            do throws(RegistryError) {
                let fetched = try await client(reference.registry).manifest(
                    .digest(descriptor.digest), in: reference.repository)
                try? store.keepDocument(fetched.bytes, digest: descriptor.digest)
                return fetched.bytes
            } catch { throw BuildError(error) }
        }
        if descriptor.size > DocumentLimits.configBytes {
            throw BuildError(
                .input, "the config of \(reference.familiar) is larger than any config")
        }
        state.withLock { $0.origins[descriptor.digest] = reference }
        try await fetchBlob(descriptor)
        return try store.document(descriptor.digest) ?? []
    }

    // MARK: - Blobs

    /// Makes sure that these layers' blobs are in the store.
    func ensureBlobs(_ layers: [LayerRecord]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for layer in layers where try store.size(ofBlob: layer.blob.digest) == nil {
                if running == 4 { try await group.next() } else { running += 1 }
                group.addTask { try await self.fetchBlob(layer.blob) }
            }
            try await group.waitForAll()
        }
    }

    private func fetchBlob(_ descriptor: Descriptor) async throws {
        let task = state.withLock { state in
            if let task = state.blobs[descriptor.digest] { return task }
            let task = Task { try await self.download(descriptor) }
            state.blobs[descriptor.digest] = task
            return task
        }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func download(_ descriptor: Descriptor) async throws {
        if try store.size(ofBlob: descriptor.digest) != nil { return }
        guard let reference = state.withLock({ $0.origins[descriptor.digest] }) else {
            throw StoreError(
                .missingBlob(descriptor.digest), hint: "lichen store check says what is missing")
        }
        let progress = TransferProgress(.download, descriptor, observer, counter)
        let blob = try store.newBlob()
        let file = blob.file.borrowed
        do throws(RegistryError) {
            try await client(reference.registry).observed(by: progress).pullBlob(
                descriptor, from: reference.repository, verification: .byClient
            ) { bytes in
                try during("write the blob") { () throws(Errno) in try file.writeFully(bytes) }
            }
        } catch { throw BuildError(error) }
        try blob.keep(as: descriptor.digest)
        progress.done(moved: true)
    }

    /// A client for a registry, one for all who ask: it keeps connections.
    func client(_ registry: String) throws(RegistryError) -> RegistryClient {
        if let client = state.withLock({ $0.clients[registry] }) { return client }
        let client = try RegistryClient(
            registry, http: http, authorizer: authorizer, options: options)
        state.withLock { $0.clients[registry] = client }
        return client
    }

    /// Whether the blob came from another repository of `registry`, which can lend it.
    func lender(of digest: Digest, at registry: String) -> String? {
        state.withLock { $0.origins[digest] }.flatMap {
            $0.registry == registry ? $0.repository : nil
        }
    }
}
