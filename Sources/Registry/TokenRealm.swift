import Defences
import HTTP
import Limits
import OCI

/// Which token service a registry may name.
///
/// Whoever names it gets the user's credentials sent there, so the rule is about who speaks:
///
/// - A registry that TLS has shown to be the one we asked for may name any host, as docker.io names auth.docker.io: it could as well
///   have asked for the credentials itself. The service must have TLS in its turn, and be a name: an address or this machine, where the
///   registry is not the same, is a try to reach what only we can reach.
/// - A registry without TLS, or whose certificate is not checked, may be anybody on the way. It may name its own host alone, where such
///   a one could read the credentials anyway. Plain HTTP is for the token service of a registry in plain HTTP.
///
/// The same goes where there are no credentials to send: the request itself could be the harm.
enum TokenRealm {
    struct Refusal: Error, Equatable { var reason: String }

    static let maximumLength = Limit.tokenRealm

    static func url(_ text: String, namedBy origin: RegistryOrigin) throws(Refusal) -> HTTPURL {
        guard text.utf8.count <= maximumLength,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !text.utf8.contains(UInt8(ascii: "#")),
            let url = HTTPURL(text)
        else { throw Refusal(reason: "it is no plain http or https URL") }
        if Defence.realms.isLeftOut { return url }
        let isOwnHost = url.host == origin.url.host
        if !url.isSecure && (origin.url.isSecure || !isOwnHost) {
            throw Refusal(reason: "it has no TLS")
        }
        if isOwnHost { return url }
        guard origin.isAuthenticated else {
            throw Refusal(
                reason: "a registry without a checked certificate may name its own host alone")
        }
        if url.isLoopback || url.isAddress || url.host.hasSuffix(".localhost") {
            throw Refusal(reason: "it is an address, and not the registry's")
        }
        return url
    }
}

extension HTTPURL {
    /// Whether the host is an address and no name. libcurl has brought other spellings into this form.
    var isAddress: Bool {
        host.hasPrefix("[") || host.utf8.allSatisfy { "0123456789.".utf8.contains($0) }
    }

    /// `host`, or `host:port` where the port is not the scheme's own: as references name a registry.
    var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }
}
