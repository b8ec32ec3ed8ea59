import CCurl
import Glibc
import Limits
import Linux
import SystemPackage

/// One request on its way, on one thread from begin to end.
final class Transfer {
    let request: HTTPRequest
    let handle: CurlHandle
    private let userAgent: String
    private let receiving: (HTTPResponse) throws -> HTTPBodyUse
    var inbox: ResponseReader
    var outbox: BodyReader
    var watch: TransferWatch
    private let observer: (any TransferObserver)?
    /// Why we ended it ourselves; stronger than what libcurl says then.
    private var problem: HTTPError.Problem?

    init(
        _ request: HTTPRequest, _ handle: CurlHandle, userAgent: String,
        observer: (any TransferObserver)?,
        receiving: @escaping (HTTPResponse) throws -> HTTPBodyUse
    ) {
        self.request = request
        self.handle = handle
        self.userAgent = userAgent
        self.observer = observer
        self.receiving = receiving
        inbox = ResponseReader()
        outbox = BodyReader(request.body)
        watch = TransferWatch(request.timeouts)
    }

    func perform(_ cancellation: Cancellation) -> Result<HTTPResponse, HTTPError> {
        let errors = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        errors.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { errors.deallocate() }
        handle.reset()
        let list = configure(errors: errors)
        defer { ccurl_slist_free_all(list) }
        defer { handle.reset() }
        guard handle.refusal == CURLE_OK else {
            let reason = String(cString: ccurl_easy_strerror(handle.refusal))
            return .failure(HTTPError(request, .internal(reason)))
        }
        let code = run(cancellation)
        if let problem = problem ?? Self.problem(of: code, self, String(cString: errors)) {
            return .failure(HTTPError(request, problem))
        }
        guard inbox.isHeaderComplete else { return .failure(HTTPError(request, .closed)) }
        return .success(inbox.response)
    }

    /// Drives the transfer until it is over, cancelled or too slow.
    private func run(_ cancellation: Cancellation) -> CURLcode {
        ccurl_multi_add_handle(handle.multi, handle.easy)
        // Taking an unfinished transfer out closes its connection.
        defer { ccurl_multi_remove_handle(handle.multi, handle.easy) }
        var running: CInt = 1
        while true {
            if cancellation.isCancelled { problem = .cancelled }
            if problem != nil { return CURLE_ABORTED_BY_CALLBACK }
            guard ccurl_multi_perform(handle.multi, &running) == CURLM_OK else {
                return CURLE_FAILED_INIT
            }
            if running == 0 { return ccurl_finished(handle.multi) }
            problem =
                problem
                ?? watch.problem(
                    isConnected: handle.isConnected, isSent: outbox.isAtEnd,
                    isAnswered: inbox.isHeaderComplete)
            if problem == nil {
                ccurl_multi_poll(handle.multi, watch.millisecondsToWait)
            }
        }
    }

    private func configure(errors: UnsafeMutablePointer<CChar>) -> UnsafeMutablePointer<curl_slist>?
    {
        let context = Unmanaged.passUnretained(self).toOpaque()
        handle.set(CURLOPT_ERRORBUFFER, pointer: errors)
        handle.set(CURLOPT_URL, request.url.description)
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_FOLLOWLOCATION, 0)
        handle.set(CURLOPT_NOSIGNAL, 1)
        handle.set(CURLOPT_QUICK_EXIT, 1)  // a cancelled name look-up is not waited for
        handle.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        handle.set(CURLOPT_USERAGENT, userAgent)
        handle.set(CURLOPT_BUFFERSIZE, 256 << 10)
        handle.set(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, Int(request.timeouts.connect.milliseconds))
        handle.check(ccurl_set_close_on_exec(handle.easy))
        if request.url.isLoopback { handle.set(CURLOPT_PROXY, "") }
        configureTLS()
        handle.set(CURLOPT_HEADERDATA, pointer: context)
        handle.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            Transfer.of(context).receivedHeader(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        handle.set(CURLOPT_WRITEDATA, pointer: context)
        handle.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            Transfer.of(context).receivedBody(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        configureBody(context)
        return headerList()
    }

    private func configureTLS() {
        handle.set(CURLOPT_SSL_VERIFYPEER, request.tls.verifies ? 1 : 0)
        handle.set(CURLOPT_SSL_VERIFYHOST, request.tls.verifies ? 2 : 0)
        handle.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        configureAuthorities(request.tls.authorityFiles)
        if let file = request.tls.clientCertificate { handle.set(CURLOPT_SSLCERT, file) }
        if let file = request.tls.clientKey { handle.set(CURLOPT_SSLKEY, file) }
    }

    /// libcurl takes one file; several are read, and it takes what is in them.
    private func configureAuthorities(_ files: [String]) {
        if files.count <= 1 {
            if let file = files.first { handle.set(CURLOPT_CAINFO, file) }
            return
        }
        var all: [UInt8] = []
        for path in files {
            // A file that cannot be read is left to libcurl, which says so.
            guard
                let file = try? FileDescriptor.workingDirectory.open(
                    path, .readOnly, resolve: .system),
                let bytes = try? file.borrowed.readAll(limit: Self.maximumAuthorityBytes)
            else { return handle.set(CURLOPT_CAINFO, path) }
            all += bytes + [UInt8(ascii: "\n")]
        }
        handle.set(CURLOPT_CAINFO_BLOB, copying: all)
    }

    private static let maximumAuthorityBytes = Limit.certificates

    private func configureBody(_ context: UnsafeMutableRawPointer) {
        switch request.method {
        case .get: handle.set(CURLOPT_HTTPGET, 1)
        case .head: handle.set(CURLOPT_NOBODY, 1)
        case .delete: handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .post, .put, .patch:
            handle.set(CURLOPT_UPLOAD, 1)
            handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            handle.set(CURLOPT_INFILESIZE_LARGE, offset: request.body.length ?? -1)
            handle.set(CURLOPT_READDATA, pointer: context)
            handle.set(CURLOPT_READFUNCTION) { bytes, size, count, context in
                Transfer.of(context).fill(
                    UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
            }
            handle.set(CURLOPT_SEEKDATA, pointer: context)
            handle.check(
                ccurl_set_seek_function(handle.easy) { context, offset, origin in
                    guard origin == SEEK_SET, Transfer.of(context).outbox.isAt(Int64(offset))
                    else {
                        return CURL_SEEKFUNC_CANTSEEK
                    }
                    return CURL_SEEKFUNC_OK
                })
        }
    }

    private func headerList() -> UnsafeMutablePointer<curl_slist>? {
        // No `Expect: 100-continue`: a server that ignores it costs a second.
        var list = ccurl_slist_append(nil, "Expect:")
        if request.headers["Accept"] == nil { list = ccurl_slist_append(list, "Accept: */*") }
        for (name, value) in request.headers.fields {
            // An empty value needs a semicolon, or libcurl removes the header.
            list = ccurl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        handle.set(CURLOPT_HTTPHEADER, pointer: UnsafeMutableRawPointer(list))
        return list
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
    }
}

// What libcurl calls. A count that differs from the one given ends the transfer.
extension Transfer {
    private func receivedHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        watch.moved()
        do {
            if try inbox.addHeaderLine(bytes) { inbox.use = try receiving(inbox.response) }
            return bytes.count
        } catch let error as ResponseReader.TooLarge {
            problem = error.problem
        } catch {
            problem = .sink(error)
        }
        return 0
    }

    private func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        observer?.received(bytes.count)
        // However long a sink takes, that is no fault of the network.
        defer { watch.moved() }
        do {
            try inbox.addBody(bytes)
            return bytes.count
        } catch let error as ResponseReader.TooLarge {
            problem = error.problem
        } catch {
            problem = .sink(error)
        }
        return bytes.count == 0 ? 1 : 0
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        defer { watch.moved() }
        do {
            let count = try outbox.read(into: buffer)
            observer?.sent(count)
            return count
        } catch is BodyReader.Short {
            problem = .shortSource
        } catch {
            problem = .source(error)
        }
        return Int(CURL_READFUNC_ABORT)
    }
}

extension CurlHandle {
    /// Whether a connection stands, TLS included.
    fileprivate var isConnected: Bool {
        var microseconds: curl_off_t = 0
        _ = ccurl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds)
        return microseconds > 0
    }
}

extension Transfer {
    /// libcurl's answer in our words; nil for success.
    private static func problem(
        of code: CURLcode, _ transfer: Transfer, _ message: String
    ) -> HTTPError.Problem? {
        let reason = withoutUserInformation(
            message.isEmpty ? String(cString: ccurl_easy_strerror(code)) : message)
        // libcurl has no code of its own for a proxy that opens no tunnel: it may want a password.
        if reason.hasPrefix("CONNECT tunnel failed") { return .proxy(reason) }
        switch code {
        case CURLE_OK: return nil
        case CURLE_COULDNT_RESOLVE_HOST: return .couldNotResolve
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: return .proxy(reason)
        case CURLE_COULDNT_CONNECT:
            let error = transfer.handle.number(CURLINFO_OS_ERRNO)
            if CInt(error) == ECONNREFUSED { return .connectionRefused }
            return .unreachable(error == 0 ? reason : String(cString: strerror(CInt(error))))
        case CURLE_OPERATION_TIMEDOUT: return .connectTimeout
        case CURLE_PEER_FAILED_VERIFICATION: return .untrustedCertificate(reason)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT:
            return .tls(reason)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
            CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND:
            return .closed
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            return .malformed(reason)
        default: return .internal(reason)
        }
    }

    /// A message of libcurl without what stands before an `@` in a word: it cites the proxy's URL, which may have a password.
    static func withoutUserInformation(_ message: String) -> String {
        message.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word.lastIndex(of: "@").map { "…" + word[$0...] } ?? String(word)
        }.joined(separator: " ")
    }
}
