import CCurl

/// One libcurl transfer at a time, and the connection that it leaves behind.
///
/// Unchecked, because libcurl's handles may move between threads but not be used by two: the client's pool gives a handle to one
/// transfer and takes it back when that is over. `wake` alone is called from elsewhere, as libcurl allows.
final class CurlHandle: @unchecked Sendable {
    private(set) var easy: UnsafeMutableRawPointer
    let multi: UnsafeMutableRawPointer
    /// Where its connection leads.
    var origin = ""

    /// curl_global_init, once in a process, by whoever comes first.
    private static let isReady: Bool = {
        Libcurl.require()
        return ccurl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    }()

    /// Nil where there is no memory. Connections are close-on-exec; the socket pair that `wake` writes to is not, and libcurl shows it to nobody:
    /// another reason to start children with no descriptors but their own.
    init?() {
        guard Self.isReady, let easy = ccurl_easy_init() else { return nil }
        guard let multi = ccurl_multi_init() else {
            ccurl_easy_cleanup(easy)
            return nil
        }
        self.easy = easy
        self.multi = multi
        _ = ccurl_keep_connections(multi, 2)
    }

    deinit {
        ccurl_easy_cleanup(easy)
        ccurl_multi_cleanup(multi)
    }

    /// Makes a waiting transfer look around.
    func wake() { _ = ccurl_multi_wakeup(multi) }

    func set(_ option: CURLoption, _ value: Int) { check(ccurl_set_long(easy, option, value)) }
    func set(_ option: CURLoption, _ value: String) { check(ccurl_set_string(easy, option, value)) }
    func set(_ option: CURLoption, offset value: Int64) {
        check(ccurl_set_offset(easy, option, curl_off_t(value)))
    }
    func set(_ option: CURLoption, copying bytes: [UInt8]) {
        check(bytes.withUnsafeBytes { ccurl_set_blob(easy, option, $0.baseAddress, $0.count) })
    }
    func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer?) {
        check(ccurl_set_pointer(easy, option, value))
    }
    func set(_ option: CURLoption, function: @escaping ccurl_data_function) {
        check(ccurl_set_data_function(easy, option, function))
    }

    /// The first option that libcurl refused since the last reset.
    private(set) var refusal: CURLcode = CURLE_OK

    func check(_ code: CURLcode) {
        if refusal == CURLE_OK { refusal = code }
    }

    /// Forgets every option; the connection stays, which the multi handle keeps.
    ///
    /// By a new handle: up to libcurl 8.2 one that is used again follows a dangling pointer where the first header line of an answer
    /// begins with a blank (curl issues 11101 and 11620).
    func reset() {
        guard let new = ccurl_easy_init() else {
            refusal = CURLE_OUT_OF_MEMORY
            return
        }
        ccurl_easy_cleanup(easy)
        easy = new
        refusal = CURLE_OK
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        _ = ccurl_get_long(easy, info, &value)
        return value
    }
}
