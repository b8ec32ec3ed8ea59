import CCurl

/// An absolute `http` or `https` URL without user information and without a fragment.
///
/// libcurl parses it, so that what is checked here is what will be asked for.
///
/// RFC 3986.
public struct HTTPURL: Hashable, Sendable {
    /// Lower case.
    public let scheme: String
    /// A name, an IPv4 address, or an IPv6 address in brackets; lower case.
    public let host: String
    /// The scheme's own where the URL has none.
    public let port: Int
    /// Begins with a slash.
    public let path: String
    /// Without the question mark.
    public let query: String?

    /// Reads an absolute URL; nil for anything else, and for one that carries a user or a password.
    public init?(_ text: String) { self.init(text, relativeTo: nil) }

    /// Reads a `Location`: absolute, or relative to this URL.
    public func resolving(_ location: String) -> HTTPURL? {
        HTTPURL(location, relativeTo: self)
    }

    private init?(_ text: String, relativeTo base: HTTPURL?) {
        Libcurl.require()
        guard text.utf8.count <= 16384, !text.utf8.contains(0), let url = ccurl_url() else {
            return nil
        }
        defer { ccurl_url_cleanup(url) }
        let flags = CUnsignedInt(CURLU_DISALLOW_USER | CURLU_URLENCODE)
        if let base, ccurl_url_set(url, CURLUPART_URL, base.description, flags) != CURLUE_OK {
            return nil
        }
        guard ccurl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK else { return nil }
        func part(_ part: CURLUPart, _ flags: CInt = 0) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard ccurl_url_get(url, part, &value, CUnsignedInt(flags)) == CURLUE_OK, let value
            else { return nil }
            defer { ccurl_free(value) }
            return String(cString: value)
        }
        guard let scheme = part(CURLUPART_SCHEME)?.lowercased(),
            ["http", "https"].contains(scheme),
            let host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty,
            let port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT).flatMap({ Int($0) }),
            let path = part(CURLUPART_PATH)
        else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        query = part(CURLUPART_QUERY)
    }

    private init(_ other: HTTPURL, query: String?) {
        scheme = other.scheme
        host = other.host
        port = other.port
        path = other.path
        self.query = query
    }

    /// The same URL with one more query item, percent-encoded.
    public func adding(query name: String, _ value: String) -> HTTPURL {
        let item = name + "=" + Self.encoded(value)
        return HTTPURL(self, query: query.map { $0.isEmpty ? item : $0 + "&" + item } ?? item)
    }

    /// Everything but letters, digits and `-._~` percent-encoded.
    public static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch Unicode.Scalar(byte) {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~":
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                result += "%" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        return result
    }
}

extension HTTPURL {
    public var isSecure: Bool { scheme == "https" }

    /// Scheme, host and port: what a credential belongs to. RFC 6454, section 4.
    public var origin: String { "\(scheme)://\(host):\(port)" }

    /// Whether it can only mean this machine. RFC 6761, section 6.3; RFC 1122, section 3.2.1.3.
    public var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The same without TLS, on the same port where the URL names one.
    public var inPlainHTTP: HTTPURL? {
        isSecure ? HTTPURL("http" + description.dropFirst("https".count)) : self
    }

    /// For messages and logs: the query, where signed URLs keep their secrets, is left out.
    public var redacted: String { base + path + (query == nil ? "" : "?…") }

    private var base: String {
        let isDefault = port == (isSecure ? 443 : 80)
        return "\(scheme)://\(host)" + (isDefault ? "" : ":\(port)")
    }
}

extension HTTPURL: CustomStringConvertible, CustomDebugStringConvertible {
    /// Complete, as it is asked for.
    public var description: String { base + path + (query.map { "?" + $0 } ?? "") }

    /// Redacted: a dump of a value must not tell a secret.
    public var debugDescription: String { redacted }
}
