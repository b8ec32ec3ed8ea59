import Defences
import HTTP
public import OCI
import Synchronization

/// Who computes the digest of a blob that is pulled.
public enum BlobVerification: Sendable {
    /// The client, while the bytes pass.
    case byClient
    /// The sink, which hashes anyway: it must not let the blob count before it has compared.
    case bySink
}

extension RegistryClient {
    /// Pulls a blob of exactly `descriptor.size` bytes.
    ///
    /// The sink gets its bytes in order, each once, on threads that may block. A broken connection is resumed where it broke. What the sink got is
    /// worth nothing before this returns: a wrong digest shows at the end.
    ///
    /// OCI distribution-spec v1.1, "Pulling blobs"; RFC 9110, section 14 (ranges).
    public func pullBlob(
        _ descriptor: Descriptor, from repository: String,
        verification: BlobVerification = .byClient,
        into sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws(RegistryError) {
        var call = try call(
            .getBlob, .get, endpoint.blob(descriptor.digest, in: repository), repository,
            descriptor.digest)
        let blob = IncomingBlob(descriptor, verification, sink)
        var retry = Retry(options.retries)
        while true {
            let position = blob.received
            if position > 0 && position == descriptor.size { break }
            call.headers["Range"] = position > 0 ? "bytes=\(position)-" : nil
            do throws(RegistryError) {
                _ = try await exchange(call) { response in
                    let skipped = try blob.begin(response, at: position)
                    return .stream { try blob.take($0, skipping: skipped) }
                }
                break
            } catch {
                if blob.received > position { retry.progressed() }
                try await retry.pause(after: error)
            }
        }
        if let problem = blob.finish() { throw error(call, problem) }
    }

    /// Asks for a blob's size; nil where the repository does not have it.
    ///
    /// OCI distribution-spec v1.1, "Checking if content exists in the registry".
    public func findBlob(
        _ digest: Digest, in repository: String
    ) async throws(RegistryError) -> Int64? {
        try await findBlob(digest, in: repository, actions: [.pull])
    }

    /// The same, asked on the way to a push: then one token does for both.
    func findBlob(
        _ digest: Digest, in repository: String, actions: Set<RegistryAccess.Action>
    ) async throws(RegistryError) -> Int64? {
        let call = try call(
            .findBlob, .head, endpoint.blob(digest, in: repository), repository, digest,
            actions: actions)
        guard let response = try await found(call) else { return nil }
        guard let size = response.headers["Content-Length"].flatMap({ Int64($0) }), size >= 0 else {
            throw error(call, .malformed("no size of the blob"))
        }
        return size
    }
}

/// A blob on its way in, over as many connections as it takes.
private final class IncomingBlob: Sendable {
    private let descriptor: Descriptor
    private let sink: @Sendable (UnsafeRawBufferPointer) throws -> Void
    private let hash: SHA256?
    private let count = Mutex<Int64>(0)

    init(
        _ descriptor: Descriptor, _ verification: BlobVerification,
        _ sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.descriptor = descriptor
        self.sink = sink
        hash = verification == .byClient ? SHA256() : nil
    }

    var received: Int64 { count.withLock { $0 } }

    /// Looks at the header of an answer to a request for everything from `position` on.
    func begin(_ response: HTTPResponse, at position: Int64) throws -> Skipped {
        let length = response.headers["Content-Length"].flatMap { Int64($0) }
        if response.status == 206 && position > 0 {
            let range = response.headers["Content-Range"] ?? ""
            guard range.hasPrefix("bytes \(position)-") else {
                throw Refused(problem: .malformed("another range than asked for"))
            }
            try expect(length, descriptor.size - position)
            return Skipped(0)
        }
        guard response.status == 200 else {
            throw Refused(problem: .malformed("status \(response.status) for a blob"))
        }
        try expect(length, descriptor.size)
        return Skipped(position)
    }

    private func expect(_ length: Int64?, _ expected: Int64) throws {
        if let length, length != expected {
            throw Refused(problem: .sizeMismatch(expected: expected, actual: length))
        }
    }

    /// Bytes to pass over: a server that knows no ranges sends them a second time.
    final class Skipped {
        var left: Int64
        init(_ left: Int64) { self.left = left }
    }

    func take(_ bytes: UnsafeRawBufferPointer, skipping skipped: Skipped) throws {
        let passed = Int(min(skipped.left, Int64(bytes.count)))
        skipped.left -= Int64(passed)
        let new = UnsafeRawBufferPointer(rebasing: bytes[passed...])
        if new.isEmpty { return }
        let total = received + Int64(new.count)
        guard total <= descriptor.size else {
            throw Refused(problem: .sizeMismatch(expected: descriptor.size, actual: total))
        }
        try sink(new)
        hash?.update(new)
        count.withLock { $0 = total }
    }

    /// What is wrong with the whole, or nil.
    func finish() -> RegistryError.Problem? {
        guard received == descriptor.size else {
            return .sizeMismatch(expected: descriptor.size, actual: received)
        }
        guard let actual = hash?.finish(), actual != descriptor.digest, !Defence.digests.isLeftOut
        else { return nil }
        return .digestMismatch(expected: descriptor.digest, actual: actual)
    }
}
