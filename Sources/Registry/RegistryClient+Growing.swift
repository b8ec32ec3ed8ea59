import HTTP
public import OCI
public import SystemPackage

/// A blob that is sent while it is being written.
public struct GrowingBlob: Sendable {
    /// How far it is.
    public enum Growth: Sendable, Equatable {
        /// The file has so many bytes by now; they stay as they are.
        case bytes(Int64)
        /// It is whole, and this is the blob.
        case whole(Descriptor)
        /// Nothing comes of it.
        case abandoned
    }

    let file: FileDescriptor
    let growth: @Sendable (_ size: Int64) async -> Growth

    /// - Parameters:
    ///   - file: an open file that grows at its end; the caller keeps it open.
    ///   - growth: waits until the file has `size` bytes or is whole, and says which.
    public init(
        file: FileDescriptor, growth: @escaping @Sendable (_ size: Int64) async -> Growth
    ) {
        self.file = file
        self.growth = growth
    }
}

extension RegistryClient {
    /// Bytes that a chunk has at least and at most while the blob grows.
    public static let growingChunks: ClosedRange<Int64> = 8 << 20...64 << 20

    /// Uploads a blob while it is being written, in chunks as they come.
    ///
    /// While it grows nothing is tried again: whoever wants the blob there after a failure sends it with `uploadBlob` when it is whole.
    ///
    /// - Returns: false where the blob was abandoned.
    ///
    /// OCI distribution-spec v1.1, "Pushing a blob in chunks".
    public func uploadGrowingBlob(
        _ blob: GrowingBlob, to repository: String
    ) async throws(RegistryError) -> Bool {
        let session = try await begin(Self.unnamedBlob, in: repository)
        let least = max(session.minimumChunk, Self.growingChunks.lowerBound)
        let most = max(least, Self.growingChunks.upperBound)
        var (url, position) = (session.url, Int64(0))
        while true {
            switch await blob.growth(position + least) {
            case .bytes(let size):
                let end = min(size, position + most)
                url = try await send(position..<end, of: blob.file, to: url, in: repository)
                position = end
            case .whole(let descriptor):
                let upload = BlobUpload(
                    client: self, descriptor: descriptor, file: blob.file, offset: 0,
                    repository: repository)
                let rest = UploadSession(url: url, minimumChunk: session.minimumChunk)
                var sizes = ChunkSizes(.automatic, blob: descriptor.size - position)
                if sizes == nil {
                    try await upload.send(to: url, from: position)
                } else {
                    try await upload.send(to: rest, from: position, &sizes!)
                }
                return true
            case .abandoned:
                await abandon(url, in: repository)
                return false
            }
        }
    }

    /// What messages call a blob whose digest nobody knows yet.
    private static let unnamedBlob = "a new blob"

    private func send(
        _ range: Range<Int64>, of file: FileDescriptor, to url: HTTPURL, in repository: String
    ) async throws(RegistryError) -> HTTPURL {
        var call = try call(
            .putBlob, .patch, url, repository, Self.unnamedBlob, actions: Self.pushing)
        call.headers["Content-Type"] = "application/octet-stream"
        call.headers["Content-Range"] = "\(range.lowerBound)-\(range.upperBound - 1)"
        call.body = .file(file, offset: range.lowerBound, length: Int64(range.count))
        return try uploadLocation(of: try await exchange(call), from: url, call)
    }

    /// Ends an upload that nothing comes of; one that stays is the registry's to sweep up.
    private func abandon(_ url: HTTPURL, in repository: String) async {
        guard
            let call = try? call(
                .putBlob, .delete, url, repository, Self.unnamedBlob,
                actions: Self.pushing.union([.delete]))
        else { return }
        _ = try? await exchange(call)
    }
}
