import FoundationEssentials
import HTTP

/// What a build's secrets say to the servers that ADD and contexts come from.
///
/// By BuildKit's names: `HTTP_AUTH_HEADER_<host>` and `HTTP_AUTH_TOKEN_<host>` for files, `GIT_AUTH_HEADER` and `GIT_AUTH_TOKEN`,
/// with `.<host>` behind them for one host alone, for repositories; a host may have its port. A value goes to the scheme, host and
/// port of the address that was written, never in the clear over a network, and never where a redirect leads.
struct RemoteSecrets: Sendable {
    private let secrets: [String: SecretSource]

    init(_ secrets: [String: SecretSource]) { self.secrets = secrets }

    /// The value of `Authorization` for a file; nil where no secret is for its host.
    func authorization(for url: HTTPURL) throws(BuildError) -> String? {
        for host in Self.hosts(url) {
            if let token = try value(of: "HTTP_AUTH_TOKEN_" + host, for: url) {
                return "Bearer " + token
            }
            if let header = try value(of: "HTTP_AUTH_HEADER_" + host, for: url) { return header }
        }
        return nil
    }

    /// The value of `Authorization` for a repository behind http or https.
    func authorization(forRepository remote: String) throws(BuildError) -> String? {
        guard let url = HTTPURL(remote) else { return nil }
        for ending in Self.hosts(url).map({ "." + $0 }) + [""] {
            if let header = try value(of: "GIT_AUTH_HEADER" + ending, for: url) { return header }
            if let token = try value(of: "GIT_AUTH_TOKEN" + ending, for: url) {
                // Services look at the token alone; this user is the one that they document.
                return "Basic " + Data("x-access-token:\(token)".utf8).base64EncodedString()
            }
        }
        return nil
    }

    private static func hosts(_ url: HTTPURL) -> [String] { ["\(url.host):\(url.port)", url.host] }

    private func value(of id: String, for url: HTTPURL) throws(BuildError) -> String? {
        guard let source = secrets[id] else { return nil }
        guard url.isSecure || Self.isLoopback(url.host) else {
            throw BuildError(
                .input, "the secret \(id) would go to \(url.host) in the clear",
                hint: "an https:// address keeps it")
        }
        var bytes = try source.value(of: id)
        // Files end with a line break.
        while bytes.last == 0x0a || bytes.last == 0x0d { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else {
            throw BuildError(
                .input, "the secret \(id) is no value of a header: it is one line of text")
        }
        return text
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
    }
}
