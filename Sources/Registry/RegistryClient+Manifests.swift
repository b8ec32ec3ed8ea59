import HTTP
public import OCI

/// A manifest or an index as a registry has it, verified.
public struct FetchedManifest: Hashable, Sendable {
    /// Its media type, its digest, and its size.
    public var descriptor: Descriptor
    public var document: ManifestDocument
    /// Exactly what has that digest.
    public var bytes: [UInt8]
}

extension RegistryClient {
    /// Gets a manifest or an index, with one request.
    ///
    /// - Throws: `RegistryError`; its digest and its form are checked.
    ///
    /// OCI distribution-spec v1.1, "Pulling manifests".
    public func manifest(
        _ name: ManifestName, in repository: String
    ) async throws(RegistryError) -> FetchedManifest {
        var call = try call(
            .getManifest, .get, endpoint.manifest(name, in: repository), repository, name)
        call.headers["Accept"] = Self.acceptedManifests
        let response = try await repeating(call) { _ in
            .collect(limit: DocumentLimits.manifestBytes)
        }
        let digest = SHA256.digest(of: response.body)
        if case .digest(let expected) = name, digest != expected {
            throw error(call, .digestMismatch(expected: expected, actual: digest))
        }
        if let stated = try statedDigest(response, call), stated != digest {
            throw error(call, .digestMismatch(expected: stated, actual: digest))
        }
        let document: ManifestDocument
        do throws(DocumentError) {
            document = try ManifestDocument(
                decoding: response.body,
                contentType: response.headers["Content-Type"].map { MediaType(contentType: $0) })
        } catch {
            throw self.error(call, .document(error))
        }
        return FetchedManifest(
            descriptor: Descriptor(
                mediaType: document.mediaType, digest: digest, size: Int64(response.body.count)),
            document: document, bytes: response.body)
    }

    /// Asks what a name stands for, without getting it; nil where the registry has no such manifest.
    ///
    /// The answer is the registry's word: what is pulled by its digest is verified then.
    ///
    /// OCI distribution-spec v1.1, "Checking if content exists in the registry".
    public func findManifest(
        _ name: ManifestName, in repository: String
    ) async throws(RegistryError) -> Descriptor? {
        var call = try call(
            .findManifest, .head, endpoint.manifest(name, in: repository), repository, name)
        call.headers["Accept"] = Self.acceptedManifests
        guard let response = try await found(call) else { return nil }
        let known: Digest? = if case .digest(let digest) = name { digest } else { nil }
        let stated = try statedDigest(response, call)
        if let known, let stated, known != stated {
            throw error(call, .digestMismatch(expected: known, actual: stated))
        }
        guard let digest = stated ?? known,
            let type = response.headers["Content-Type"],
            let size = response.headers["Content-Length"].flatMap({ Int64($0) }), size >= 0
        else { throw error(call, .malformed("no digest, type or size of the manifest")) }
        return Descriptor(mediaType: MediaType(contentType: type), digest: digest, size: size)
    }

    /// Pushes a manifest or an index; what it points to must be there already.
    ///
    /// - Returns: its descriptor.
    ///
    /// OCI distribution-spec v1.1, "Pushing Manifests".
    @discardableResult
    public func pushManifest(
        _ bytes: [UInt8], _ mediaType: MediaType, to repository: String, as name: ManifestName
    ) async throws(RegistryError) -> Descriptor {
        var call = try call(
            .putManifest, .put, endpoint.manifest(name, in: repository), repository, name,
            actions: Self.pushing)
        let digest = SHA256.digest(of: bytes)
        if case .digest(let expected) = name, digest != expected {
            throw error(call, .digestMismatch(expected: expected, actual: digest))
        }
        call.headers["Content-Type"] = mediaType.rawValue
        call.body = .bytes(bytes)
        let response = try await repeating(call)
        if let stated = try statedDigest(response, call), stated != digest {
            throw error(call, .digestMismatch(expected: digest, actual: stated))
        }
        return Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count))
    }

    private static let acceptedManifests = MediaType.manifestsAndIndexes.map(\.rawValue)
        .joined(separator: ", ")

    /// `Docker-Content-Digest`, where it is there and of an algorithm that we compute.
    func statedDigest(
        _ response: HTTPResponse, _ call: RegistryCall
    ) throws(RegistryError) -> Digest? {
        guard let text = response.headers["Docker-Content-Digest"], text.hasPrefix("sha256:") else {
            return nil
        }
        guard let digest = Digest(text) else {
            throw error(call, .malformed("a Docker-Content-Digest that is none"))
        }
        return digest
    }

    /// Sends a call until it succeeds, or fails for good.
    func repeating(
        _ call: RegistryCall,
        receiving: @escaping @Sendable (HTTPResponse) throws -> HTTPBodyUse = { _ in
            .excerpt(limit: 0)
        }
    ) async throws(RegistryError) -> HTTPResponse {
        var retry = Retry(options.retries)
        while true {
            do throws(RegistryError) {
                return try await exchange(call, receiving: receiving)
            } catch {
                try await retry.pause(after: error)
            }
        }
    }

    /// The answer to a question whether something is there; nil where it isn't.
    func found(_ call: RegistryCall) async throws(RegistryError) -> HTTPResponse? {
        do throws(RegistryError) {
            return try await repeating(call)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
