public import OCI
import Store

extension Builder {
    /// Brings an image into the store under its name, with all its layers: of an index, the images for `platforms`.
    ///
    /// - Returns: the descriptor of what the name stands for: a manifest, or an index.
    /// - Throws: `BuildError`, or `CancellationError`.
    public func pull(
        _ reference: Reference, platforms: [Platform], plainHTTP: Set<String> = [],
        insecure: Set<String> = []
    ) async throws -> Descriptor {
        try await described {
            var request = BuildRequest(context: .directory("."))
            request.plainHTTPRegistries = plainHTTP
            request.insecureRegistries = insecure
            let lock = try store.enter()
            defer { withExtendedLifetime(lock) {} }
            let source = ImageSource(store: store, request: request, observer: observer)
            var images: [BaseImage] = []
            for platform in platforms {
                let image = try await source.image(reference, platform)
                warn(of: image, notFor: platform)
                images.append(image)
            }
            for image in images { try await source.ensureBlobs(image.layers) }
            return images[0].top
        }
    }

    /// An image that is no index is for one platform, whatever was asked for.
    private func warn(of image: BaseImage, notFor platform: Platform) {
        let config = image.config
        let found = Platform(
            os: config.os, architecture: config.architecture, variant: config.variant)
        let (own, wanted) = (found.normalized, platform.normalized)
        if own.os == wanted.os && own.architecture == wanted.architecture { return }
        observer(.warning("\(image.name) is for \(found), not for \(platform)"))
    }

    /// Sends an image of the store to the registry that its name says.
    ///
    /// - Throws: `BuildError`, or `CancellationError`.
    public func push(
        _ reference: Reference, plainHTTP: Set<String> = [], insecure: Set<String> = []
    ) async throws -> Descriptor {
        try await described {
            guard let descriptor = try store.image(reference.description) else {
                throw StoreError(
                    .unknownImage(reference.familiar), hint: "lichen images lists what there is")
            }
            var request = BuildRequest(context: .directory("."))
            request.plainHTTPRegistries = plainHTTP
            request.insecureRegistries = insecure
            let lock = try store.enter()
            defer { withExtendedLifetime(lock) {} }
            let source = ImageSource(store: store, request: request, observer: observer)
            try await ImagePusher(store: store, source: source, observer: observer).push(
                descriptor, to: reference)
            return descriptor
        }
    }

    /// Runs `body` and describes whatever it throws.
    func described<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            throw BuildError(any: error)
        }
    }
}
