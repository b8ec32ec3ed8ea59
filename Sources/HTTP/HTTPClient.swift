import Linux
import Synchronization

/// Sends requests through libcurl, and keeps connections for the next ones.
///
/// Redirects are answers like any other: whoever knows which credential belongs where follows them. Proxies come from the environment
/// as curl takes them (`https_proxy`, `no_proxy`, …), but never for this machine itself. Only http and https are spoken.
public final class HTTPClient: Sendable {
    private let userAgent: String
    private let idle = Mutex<[CurlHandle]>([])

    /// Connections that wait for a next request. More may be in use.
    private static let maximumIdle = 16

    public init(userAgent: String = "lichen") { self.userAgent = userAgent }

    /// Begins to load libcurl and what it stands on, 33 libraries, on a thread of its own.
    public static func loadAhead() { startThread { Libcurl.loadAhead() } }

    /// Sends a request and collects the answer's body, of at most `limit` bytes.
    public func collect(
        _ request: HTTPRequest, limit: Int, observer: (any TransferObserver)? = nil
    ) async throws(HTTPError) -> HTTPResponse {
        try await send(request, observer: observer) { _ in .collect(limit: limit) }
    }

    /// Sends a request; `receiving` sees the answer's header and decides where the body goes.
    ///
    /// Cancelling the task ends the transfer at once. On failure a sink may have seen a part of the body.
    ///
    /// - Parameter receiving: called once, on the transfer's thread; what it throws comes back as `HTTPError.Problem.sink`.
    /// - Throws: `HTTPError`. A status such as 404 is an answer, not an error.
    public func send(
        _ request: HTTPRequest, observer: (any TransferObserver)? = nil,
        receiving: @escaping @Sendable (HTTPResponse) throws -> HTTPBodyUse
    ) async throws(HTTPError) -> HTTPResponse {
        for (name, value) in request.headers.fields where !HTTPHeaders.isValid(name, value) {
            throw HTTPError(request, .invalidHeader(name))
        }
        guard let handle = handle(for: request.url) else {
            throw HTTPError(request, .internal("no handle"))
        }
        let cancellation = Cancellation()
        let userAgent = userAgent
        let result: Result<HTTPResponse, HTTPError>
        do {
            result = try await withTaskCancellationHandler {
                try await blocking {
                    observer?.requestStarted(request.method, request.url)
                    let transfer = Transfer(
                        request, handle, userAgent: userAgent, observer: observer,
                        receiving: receiving)
                    return transfer.perform(cancellation)
                }
            } onCancel: {
                cancellation.cancel()
                handle.wake()
            }
        } catch {
            // The closure above throws nothing.
            throw HTTPError(request, .internal("\(error)"))
        }
        putBack(handle, lastUsedFor: request.url)
        return try result.get()
    }

    /// A handle that has talked to this origin before, if there is one.
    private func handle(for url: HTTPURL) -> CurlHandle? {
        let known = idle.withLock { idle in
            idle.lastIndex { $0.origin == url.origin }.map { idle.remove(at: $0) }
        }
        return known ?? CurlHandle()
    }

    private func putBack(_ handle: CurlHandle, lastUsedFor url: HTTPURL) {
        handle.origin = url.origin
        let oldest = idle.withLock { idle in
            idle.append(handle)
            return idle.count > Self.maximumIdle ? idle.removeFirst() : nil
        }
        // Its connection closes here, outside of the lock.
        _ = consume oldest
    }
}

/// A flag that a transfer looks at.
final class Cancellation: Sendable {
    private let flag = Atomic(false)
    func cancel() { flag.store(true, ordering: .releasing) }
    var isCancelled: Bool { flag.load(ordering: .acquiring) }
}
