import HTTP
import OCI
import SystemPackage

/// One upload session of one blob.
///
/// OCI distribution-spec v1.1, "Pushing a blob in chunks".
struct BlobUpload {
    let client: RegistryClient
    let descriptor: Descriptor
    let file: FileDescriptor
    let offset: Int64
    let repository: String

    /// Sends everything from `position` on, and closes the session.
    func send(to url: HTTPURL, from position: Int64) async throws(RegistryError) {
        var call = try call(
            .put, url.adding(query: "digest", descriptor.digest.description))
        call.headers["Content-Type"] = "application/octet-stream"
        call.body = body(position..<descriptor.size)
        let response = try await client.exchange(call)
        if let stated = try client.statedDigest(response, call), stated != descriptor.digest {
            throw client.error(
                call, .digestMismatch(expected: descriptor.digest, actual: stated))
        }
    }

    /// Sends chunk after chunk from `start` on, and goes on where the registry is after a break.
    func send(
        to session: UploadSession, from start: Int64 = 0, _ sizes: inout ChunkSizes
    ) async throws(RegistryError) {
        var url = session.url
        var position = start
        var retry = Retry(client.options.retries)
        while position < descriptor.size {
            let chunk = max(sizes.next, session.minimumChunk)
            let end = position + min(chunk, descriptor.size - position)
            var call = try call(.patch, url)
            call.headers["Content-Type"] = "application/octet-stream"
            call.headers["Content-Range"] = "\(position)-\(end - 1)"
            call.body = body(position..<end)
            do throws(RegistryError) {
                let response = try await client.exchange(call)
                url = try client.uploadLocation(of: response, from: url, call)
                position = end
                sizes.arrived()
                retry.progressed()
            } catch {
                try await retry.pause(after: error)
                sizes.broke()
                let status = try await status(of: url)
                if status.position > position { retry.progressed() }
                (url, position) = status
            }
        }
        try await send(to: url, from: descriptor.size)
    }

    /// How far the registry got. Where it forgot the session, that is an error, and the upload begins anew.
    private func status(
        of url: HTTPURL
    ) async throws(RegistryError) -> (url: HTTPURL, position: Int64) {
        let call = try call(.get, url)
        let response: HTTPResponse
        do throws(RegistryError) {
            response = try await client.repeating(call)
        } catch {
            // Docker's registry drops a session whose chunk broke, and answers with 400 or 404.
            throw error.isUnauthorized || error.isDenied || error.isCancelled
                ? error : client.error(call, .uploadLost)
        }
        let next =
            response.headers["Location"] == nil
            ? url : try client.uploadLocation(of: response, from: url, call)
        // "0-N" names the last byte; without one nothing has arrived, and so has it with Docker's "0-0".
        let last = response.headers["Range"]?.split(separator: "-").last.flatMap { Int64($0) } ?? 0
        guard last < max(descriptor.size, 1) else {
            throw client.error(call, .malformed("more bytes than were sent"))
        }
        return (next, last > 0 ? last + 1 : 0)
    }

    private func call(
        _ method: HTTPRequest.Method, _ url: HTTPURL
    ) throws(RegistryError) -> RegistryCall {
        try client.call(
            .putBlob, method, url, repository, descriptor.digest, actions: RegistryClient.pushing)
    }

    private func body(_ range: Range<Int64>) -> HTTPBody {
        range.isEmpty
            ? .none
            : .file(file, offset: offset + range.lowerBound, length: Int64(range.count))
    }
}
