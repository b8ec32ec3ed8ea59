/// A request without an answer, and why.
public struct HTTPError: Error, Sendable {
    public enum Problem: Sendable {
        case invalidHeader(String)
        case couldNotResolve
        case connectionRefused
        /// No connection, for another reason.
        case unreachable(String)
        case proxy(String)
        /// No secure connection; the other side may not speak TLS at all.
        case tls(String)
        /// A certificate by an unknown authority, for another name, or expired.
        case untrustedCertificate(String)
        case connectTimeout
        case responseTimeout
        case stalled
        /// The connection ended in the middle.
        case closed
        /// The answer is not HTTP.
        case malformed(String)
        case headersTooLarge
        case tooLarge(limit: Int)
        /// The request's body could not be read, or is shorter than it was said to be.
        case source(any Error)
        case shortSource
        /// The one who reads the body gave up.
        case sink(any Error)
        case cancelled
        /// libcurl refused something that we asked of it.
        case `internal`(String)
    }

    public var method: HTTPRequest.Method
    /// Without a query.
    public var url: String
    public var problem: Problem

    init(_ request: HTTPRequest, _ problem: Problem) {
        method = request.method
        url = request.url.redacted
        self.problem = problem
    }

    /// Whether the same request may well succeed in a moment.
    public var isTransient: Bool {
        switch problem {
        case .responseTimeout, .stalled, .closed: true
        default: false
        }
    }

    /// What the giver of the request's body or the taker of the answer's threw.
    public var localFailure: (any Error)? {
        switch problem {
        case .source(let error), .sink(let error): error
        default: nil
        }
    }

    /// Whether nobody answered at all.
    public var isUnreachable: Bool {
        switch problem {
        case .couldNotResolve, .connectionRefused, .unreachable, .proxy, .connectTimeout: true
        default: false
        }
    }

    public var isCancelled: Bool {
        if case .cancelled = problem { true } else { false }
    }
}

extension HTTPError: CustomStringConvertible {
    public var description: String { "\(method.rawValue) \(url): \(problem)" }
}

extension HTTPError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidHeader(let name): "the header \(name) has a value that cannot be sent"
        case .couldNotResolve: "the host name is not known"
        case .connectionRefused: "connection refused"
        case .unreachable(let reason): "no connection: \(reason)"
        case .proxy(let reason): "the proxy: \(reason)"
        case .tls(let reason): "TLS: \(reason)"
        case .untrustedCertificate(let reason): "the certificate is not trusted: \(reason)"
        case .connectTimeout: "no connection in time"
        case .responseTimeout: "no answer in time"
        case .stalled: "the transfer stalled"
        case .closed: "the connection was closed in the middle"
        case .malformed(let reason): "the answer is not HTTP: \(reason)"
        case .headersTooLarge: "the answer's header is too large"
        case .tooLarge(let limit): "the answer is larger than \(limit) bytes"
        case .source(let error): "the data to send cannot be read: \(error)"
        case .shortSource: "the data to send is shorter than expected"
        case .sink(let error): "\(error)"
        case .cancelled: "cancelled"
        case .internal(let reason): "libcurl: \(reason)"
        }
    }
}
