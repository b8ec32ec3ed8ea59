import Limits
public import SystemPackage

/// What to ask of a server.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET", head = "HEAD", post = "POST", put = "PUT", patch = "PATCH", delete =
            "DELETE"
    }

    public var method: Method
    public var url: HTTPURL
    public var headers: HTTPHeaders
    public var body: HTTPBody
    public var timeouts: HTTPTimeouts
    public var tls: TLSOptions

    public init(
        _ method: Method, _ url: HTTPURL, headers: HTTPHeaders = [:], body: HTTPBody = .none,
        timeouts: HTTPTimeouts = HTTPTimeouts(), tls: TLSOptions = TLSOptions()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.tls = tls
    }
}

/// The body of a request.
public enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// `length` bytes of an open file from `offset` on. The caller keeps it open until the answer is there; its own position
    /// is neither used nor moved.
    case file(FileDescriptor, offset: Int64, length: Int64)
    /// Bytes as they come: the function fills a part of the buffer and says how much; 0 is the end. It is called on a thread that
    /// may block. Without a length the body is sent in chunks. Such a body can be sent only once.
    case stream(length: Int64?, @Sendable (UnsafeMutableRawBufferPointer) throws -> Int)

    /// Whether there is nothing to send.
    public var isEmpty: Bool { length == 0 }

    /// Bytes, where they are known before.
    var length: Int64? {
        switch self {
        case .none: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let length): length
        case .stream(let length, _): length
        }
    }
}

/// How long to wait for what.
public struct HTTPTimeouts: Sendable, Equatable {
    /// Name, TCP and TLS together.
    public var connect: Duration = Limit.connecting
    /// From the last byte of the request to the end of the answer's header. Registries think long about a large blob.
    public var response: Duration = Limit.answering
    /// Without a byte in either direction.
    public var stalled: Duration = Limit.stalling

    public init() {}
}

/// Whom to trust, and who we are, where the system's own answer is not enough.
public struct TLSOptions: Sendable, Hashable {
    /// PEM files of authorities, trusted beside the system's.
    public var authorityFiles: [String]
    /// PEM files of a client certificate and its key.
    public var clientCertificate: String?
    public var clientKey: String?
    /// False for a server whose certificate may be anybody's: somebody has named it as insecure.
    public var verifies: Bool

    public init(
        authorities: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil,
        verifies: Bool = true
    ) {
        authorityFiles = authorities.map { [$0] } ?? []
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
        self.verifies = verifies
    }
}

/// What a server answered.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    /// Empty where the body went into a sink.
    public var body: [UInt8]

    /// 200...299
    public var isSuccess: Bool { (200...299).contains(status) }
}

/// Where the body of a response goes; decided when its header is there.
public enum HTTPBodyUse {
    /// Into `HTTPResponse.body`; more than `limit` bytes are an error.
    case collect(limit: Int)
    /// Into a function, piece by piece, on a thread that may block. What it throws ends the transfer.
    case stream((UnsafeRawBufferPointer) throws -> Void)
    /// Its first bytes into `HTTPResponse.body`, as of a message that came instead of what was wanted. The rest is read and
    /// forgotten, up to a megabyte.
    case excerpt(limit: Int)
}

/// Hears about transfers while they run: for progress displays, and for tests that count.
///
/// Called on the transfers' threads, so quickly and from several at once.
public protocol TransferObserver: Sendable {
    /// A request is about to be sent.
    func requestStarted(_ method: HTTPRequest.Method, _ url: HTTPURL)
    /// Bytes of a response's body came in.
    func received(_ bytes: Int)
    /// Bytes of a request's body went out.
    func sent(_ bytes: Int)
}
