import Credentials
import HTTP
import OCI
import Synchronization

/// Where a registry's API is.
///
/// OCI distribution-spec v1.1, "Endpoints".
struct RegistryEndpoint: Sendable {
    /// As references name it: `docker.io`
    let registry: String
    /// `https://registry-1.docker.io/v2/`
    let base: HTTPURL
    let tls: TLSOptions
    /// Set for a registry that was named as insecure: it may turn out to have no TLS.
    let fallback: PlainFallback?

    init?(_ registry: String, _ options: RegistryOptions) throws(CredentialError) {
        self.registry = registry
        let given = try options.tls(for: registry)
        var tls = given ?? TLSOptions()
        let isInsecure = options.insecure.contains(registry)
        if isInsecure { tls.verifies = false }
        self.tls = tls
        let host = registry == Reference.defaultRegistry ? "registry-1.docker.io" : registry
        let isLoopback = HTTPURL("http://\(host)/")?.isLoopback ?? false
        let isPlain =
            options.plainHTTP.contains(registry)
            || (isLoopback && given == nil && !isInsecure)
        guard let base = HTTPURL("\(isPlain ? "http" : "https")://\(host)/v2/") else { return nil }
        self.base = base
        fallback = isInsecure && !isPlain ? base.inPlainHTTP.map { PlainFallback(base: $0) } : nil
    }

    /// Where the registry is spoken to, as far as we know by now.
    var origin: RegistryOrigin { RegistryOrigin(url: fallback?.chosen ?? base, tls: tls) }

    /// `url`, without TLS where the registry turned out to have none.
    func effective(_ url: HTTPURL) -> HTTPURL {
        guard fallback?.chosen != nil, url.origin == base.origin else { return url }
        return url.inPlainHTTP ?? url
    }

    func manifest(_ name: ManifestName, in repository: String) -> HTTPURL? {
        url("\(repository)/manifests/\(name)")
    }

    func blob(_ digest: Digest, in repository: String) -> HTTPURL? {
        url("\(repository)/blobs/\(digest)")
    }

    func uploads(in repository: String) -> HTTPURL? {
        url("\(repository)/blobs/uploads/")
    }

    /// Nil where a name has parts that are no name: `..`, a query, an escape.
    private func url(_ path: String) -> HTTPURL? {
        guard let url = HTTPURL(base.description + path), url.path == base.path + path,
            url.query == nil, !path.contains("//"), !path.contains("%")
        else { return nil }
        return url
    }
}

/// What we found out about a registry that was named as insecure; one for all copies of a client.
final class PlainFallback: Sendable {
    private let base: HTTPURL
    private let isChosen = Mutex(false)

    init(base: HTTPURL) { self.base = base }

    /// The registry's API without TLS, once that was chosen.
    var chosen: HTTPURL? { isChosen.withLock { $0 } ? base : nil }

    /// Leaves TLS after an error that says that nobody speaks it there.
    ///
    /// - Returns: whether there is something new to try.
    func choose(after error: HTTPError) -> Bool {
        switch error.problem {
        case .tls, .connectionRefused, .unreachable, .connectTimeout: break
        default: return false
        }
        return isChosen.withLock { isChosen in
            defer { isChosen = true }
            return !isChosen
        }
    }
}

/// Which manifest of a repository is meant.
public enum ManifestName: Hashable, Sendable, CustomStringConvertible {
    case tag(String)
    case digest(Digest)

    /// What a reference pulls: its digest where it has one, else its tag.
    public init(_ reference: Reference) {
        self = reference.digest.map { .digest($0) } ?? .tag(reference.tag ?? "latest")
    }

    public var description: String {
        switch self {
        case .tag(let tag): tag
        case .digest(let digest): digest.description
        }
    }
}
