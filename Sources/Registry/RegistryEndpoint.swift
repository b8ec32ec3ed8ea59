import HTTP
import OCI

/// Where a registry's API is.
///
/// OCI distribution-spec v1.1, "Endpoints".
struct RegistryEndpoint: Sendable {
    /// As references name it: `docker.io`
    let registry: String
    /// `https://registry-1.docker.io/v2/`
    let base: HTTPURL
    let tls: TLSOptions

    init?(_ registry: String, _ options: RegistryOptions) {
        self.registry = registry
        tls = options.tls[registry] ?? TLSOptions()
        let host = registry == Reference.defaultRegistry ? "registry-1.docker.io" : registry
        let isLoopback = HTTPURL("http://\(host)/")?.isLoopback ?? false
        let isPlain =
            options.plainHTTP.contains(registry)
            || (isLoopback && options.tls[registry] == nil)
        guard let base = HTTPURL("\(isPlain ? "http" : "https")://\(host)/v2/") else { return nil }
        self.base = base
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
