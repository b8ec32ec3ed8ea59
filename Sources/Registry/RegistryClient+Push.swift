import HTTP
public import OCI
public import SystemPackage

/// How a blob goes up.
public enum UploadMode: Hashable, Sendable {
    /// Whole where that is small, else in chunks that fit its size; whole, too, for a registry that takes no chunks.
    case automatic
    /// In one request. If it breaks, it begins anew.
    case whole
    /// In requests of so many bytes at most. If one breaks, it goes on where the registry says it is.
    case chunks(of: Int64)
}

/// What it took to have a blob in a repository.
public enum PushOutcome: Hashable, Sendable {
    /// It was there.
    case present
    /// It was in another repository of the registry.
    case mounted
    case uploaded
}

extension RegistryClient {
    /// Makes a repository have a blob, with as little traffic as possible: it is looked for, then mounted, and sent only then.
    ///
    /// - Parameters:
    ///   - file: an open file that has the blob from `offset` on; the caller keeps it open until this returns.
    ///   - source: a repository of this registry that may have the blob.
    @discardableResult
    public func pushBlob(
        _ descriptor: Descriptor, from file: FileDescriptor, offset: Int64 = 0,
        to repository: String, mountingFrom source: String? = nil, mode: UploadMode = .automatic
    ) async throws(RegistryError) -> PushOutcome {
        let found = try await findBlob(
            descriptor.digest, in: repository, actions: Self.pushing)
        if found != nil { return .present }
        var session: HTTPURL?
        if let source, source != repository {
            switch try await mount(descriptor.digest, from: source, into: repository) {
            case .mounted: return .mounted
            // It is as good as any other session, and leaving it would litter.
            case .session(let url): session = url
            }
        }
        try await upload(
            descriptor, file, offset, repository, mode, session: session)
        return .uploaded
    }

    /// Mounts a blob of another repository of this registry.
    ///
    /// - Returns: false where the registry would rather have it uploaded.
    ///
    /// OCI distribution-spec v1.1, "Mounting a blob from another repository".
    public func mountBlob(
        _ digest: Digest, from source: String, into repository: String
    ) async throws(RegistryError) -> Bool {
        switch try await mount(digest, from: source, into: repository) {
        case .mounted: return true
        case .session(let url):
            let call = try call(
                .mountBlob, .delete, url, repository, digest,
                actions: Self.pushing.union([.delete]))
            // A session that stays is the registry's to sweep up.
            _ = try? await exchange(call)
            return false
        }
    }

    /// Uploads a blob without looking whether it is there.
    ///
    /// OCI distribution-spec v1.1, "Pushing blobs".
    public func uploadBlob(
        _ descriptor: Descriptor, from file: FileDescriptor, offset: Int64 = 0,
        to repository: String, mode: UploadMode = .automatic
    ) async throws(RegistryError) {
        try await upload(descriptor, file, offset, repository, mode, session: nil)
    }

    private enum Mount { case mounted, session(HTTPURL) }

    private func mount(
        _ digest: Digest, from source: String, into repository: String
    ) async throws(RegistryError) -> Mount {
        let url = endpoint.uploads(in: repository)?
            .adding(query: "mount", digest.description).adding(query: "from", source)
        var call = try call(
            .mountBlob, .post, url, repository, digest, actions: Self.pushing)
        call.mountSource = source
        let response = try await repeating(call)
        if response.status == 201 { return .mounted }
        return .session(try uploadLocation(of: response, from: call.url, call))
    }

    private func upload(
        _ descriptor: Descriptor, _ file: FileDescriptor, _ offset: Int64, _ repository: String,
        _ mode: UploadMode, session: HTTPURL?
    ) async throws(RegistryError) {
        let upload = BlobUpload(
            client: self, descriptor: descriptor, file: file, offset: offset,
            repository: repository)
        var session = session
        var sizes = ChunkSizes(mode, blob: descriptor.size)
        var retry = Retry(options.retries)
        while true {
            let next: UploadSession
            if let given = session {
                next = UploadSession(url: given)
            } else {
                next = try await begin(descriptor.digest, in: repository)
            }
            session = nil
            do throws(RegistryError) {
                guard sizes != nil else { return try await upload.send(to: next.url, from: 0) }
                return try await upload.send(to: next, &sizes!)
            } catch {
                if mode == .automatic, sizes?.isUntried == true, error.refusesChunks {
                    // Nothing of it has arrived: this registry wants a blob in one piece.
                    sizes = nil
                    continue
                }
                // The repository knew the session a moment ago.
                let error = error.isNotFound ? error.with(.uploadLost) : error
                // A chunk is tried again where it is sent; only a lost session begins anew.
                if sizes != nil && !error.isUploadLost { throw error }
                try await retry.pause(after: error)
                // The answer may have been lost after the work was done.
                let found = try await findBlob(
                    descriptor.digest, in: repository, actions: Self.pushing)
                if found != nil { return }
            }
        }
    }

    /// What a push has to be allowed.
    static let pushing: Set<RegistryAccess.Action> = [.pull, .push]

    func begin(
        _ blob: some CustomStringConvertible, in repository: String
    ) async throws(RegistryError) -> UploadSession {
        let call = try call(
            .putBlob, .post, endpoint.uploads(in: repository), repository, blob,
            actions: Self.pushing)
        let response = try await repeating(call)
        return UploadSession(
            url: try uploadLocation(of: response, from: call.url, call),
            minimumChunk: response.headers["OCI-Chunk-Min-Length"].flatMap { Int64($0) } ?? 0)
    }
}
