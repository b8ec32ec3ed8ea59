import Archive
import HTTP
import Limits
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// Fetches the files that ADD names by URL, each once a build, into blobs of the store.
///
/// A file that an earlier build fetched is asked for with what the server said of it then, and comes again only if it changed.
final class RemoteFiles: Sendable {
    /// The most that one file may have.
    static let largestFile = Limit.remoteFile
    static let mostRedirects = Limit.remoteRedirects

    private let store: Store
    private let http: HTTPClient
    private let observer: any TransferObserver
    private let memory: RemoteFileMemory
    private let secrets: RemoteSecrets
    private let fetches = Mutex<[HTTPURL: Task<RemoteFile, any Error>]>([:])

    init(store: Store, counter: TransferCounter, secrets: RemoteSecrets) {
        self.secrets = secrets
        self.store = store
        http = HTTPClient(userAgent: "lichen/\(lichenVersion)")
        observer = ReceivedBytes(counter: counter)
        memory = RemoteFileMemory(in: store.directoryForHints)
    }

    /// The file at `url`, as it is now.
    func file(at url: HTTPURL) async throws -> RemoteFile {
        let task = fetches.withLock { fetches in
            if let task = fetches[url] { return task }
            let task = Task { try await self.fetch(url) }
            fetches[url] = task
            return task
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func fetch(_ url: HTTPURL) async throws -> RemoteFile {
        var known = memory.file(at: url)
        if let file = known, try store.size(ofBlob: file.digest) == nil { known = nil }
        let file = try await fetch(url, known)
        memory.remember(file, at: url)
        return file
    }

    private func fetch(_ start: HTTPURL, _ known: RemoteFile?) async throws -> RemoteFile {
        var url = start
        let authorization = try secrets.authorization(for: start)
        for _ in 0...Self.mostRedirects {
            let blob = try store.newBlob()
            let sink = HashingSink(blob.file.borrowed)
            let response = try await exchange(
                url, known, url.hasOrigin(of: start) ? authorization : nil, sink)
            switch response.status {
            case 200..<300:
                let digest = sink.finish()
                try blob.keep(as: digest)
                return RemoteFile(digest, size: sink.count, response.headers)
            case 304:
                if let known { return known }
                throw refusal(url, "status 304 to a question that was not asked")
            case 301, 302, 303, 307, 308: url = try target(of: response, from: url)
            default: throw refusal(url, "status \(response.status)")
            }
        }
        throw refusal(start, "more than \(Self.mostRedirects) redirects")
    }

    private func exchange(
        _ url: HTTPURL, _ known: RemoteFile?, _ authorization: String?, _ sink: HashingSink
    ) async throws -> HTTPResponse {
        var headers = HTTPHeaders()
        headers["Authorization"] = authorization
        if let tag = known?.entityTag {
            headers["If-None-Match"] = tag
        } else if let date = known?.lastModified {
            headers["If-Modified-Since"] = date
        }
        do throws(HTTPError) {
            return try await http.send(
                HTTPRequest(.get, url, headers: headers), observer: observer
            ) { response in
                response.isSuccess ? .stream { try sink.take($0) } : .excerpt(limit: 0)
            }
        } catch {
            if error.isCancelled { throw CancellationError() }
            if case .sink(let failure) = error.problem { throw failure }
            throw BuildError(.network, "\(error)")
        }
    }

    private func target(of response: HTTPResponse, from url: HTTPURL) throws -> HTTPURL {
        guard let location = response.headers["Location"], let next = url.resolving(location)
        else { throw refusal(url, "a redirect to nowhere") }
        if url.isSecure, !next.isSecure {
            throw refusal(url, "a redirect from https to \(next.redacted)")
        }
        return next
    }

    private func refusal(_ url: HTTPURL, _ what: String) -> BuildError {
        BuildError(.network, "GET \(url.redacted): \(what)")
    }
}

extension HTTPURL {
    /// Whether what is for one is for the other: the same scheme, host and port.
    fileprivate func hasOrigin(of other: HTTPURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }
}

extension RemoteFile {
    fileprivate init(_ digest: Digest, size: Int64, _ headers: HTTPHeaders) {
        self.digest = digest
        self.size = UInt64(size)
        entityTag = headers["ETag"]
        lastModified = headers["Last-Modified"]
        modified = lastModified.flatMap { HTTPDate($0) }?.secondsSinceEpoch ?? 0
    }
}

/// Writes what comes into a file, and hashes it on its way.
///
/// Unchecked: a transfer hands out its bytes one piece after the other, and the digest is asked for when it has ended.
private final class HashingSink: @unchecked Sendable {
    private let file: FileDescriptor
    private var hash: SHA256? = SHA256()
    private(set) var count: Int64 = 0

    init(_ file: FileDescriptor) { self.file = file }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        hash?.update(bytes)
        count += Int64(bytes.count)
        if count > RemoteFiles.largestFile {
            throw BuildError(
                .network, "the file is larger than \(RemoteFiles.largestFile >> 30) GiB")
        }
        try file.writeFully(bytes)
    }

    /// The digest of all that came; asked once.
    func finish() -> Digest {
        guard let hash = hash.take() else { fatalError("a digest is asked for once") }
        return Digest(sha256: hash.finish())
    }
}

/// Counts bytes for the end of the build.
private struct ReceivedBytes: TransferObserver {
    let counter: TransferCounter

    func requestStarted(_ method: HTTPRequest.Method, _ url: HTTPURL) {}
    func received(_ bytes: Int) { counter.add(.download, Int64(bytes)) }
    func sent(_ bytes: Int) {}
}
