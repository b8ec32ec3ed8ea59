/// The names under which files and helpers keep a registry's credentials.
///
/// A name matches whole or not at all: a credential of `registry.example` is none for `registry.example:444` or
/// `registry.example.evil`, and one of `registry.example/team` is none for `registry.example/teammate`.
///
/// containers-auth.json(5), "FORMAT"; Docker's config.json.
struct RegistryKeys {
    static let dockerHub = "docker.io"
    /// The name under which Docker keeps the credentials of its own registry.
    static let dockerHubKey = "https://index.docker.io/v1/"

    /// Hosts that mean the same registry, the best one first.
    let hosts: [String]
    /// Paths of the repository, the longest first: `team/app`, `team`
    let paths: [String]

    init(registry: String, repository: String = "") {
        let registry = registry.lowercased()
        hosts =
            [Self.dockerHub, "index.docker.io", "registry-1.docker.io"].contains(registry)
            ? [Self.dockerHub, "index.docker.io", "registry-1.docker.io"] : [registry]
        let parts = repository.split(separator: "/")
        paths = (0..<parts.count).reversed().map { parts[0...$0].joined(separator: "/") }
    }

    /// What is asked of a helper, and what it is told to keep.
    var serverAddresses: [String] {
        hosts.first == Self.dockerHub ? [Self.dockerHubKey, Self.dockerHub] : [hosts[0]]
    }

    /// The key for a new entry.
    var key: String { serverAddresses[0] }

    /// Whether `key` stands for the whole registry, however it is written: `host`, `https://host`, `https://host/v1/`.
    func isHost(_ key: String) -> Bool {
        let (host, path) = Self.parts(of: key)
        return hosts.contains(host) && path.isEmpty
    }

    /// How well `key` fits: the length of its path in parts, nil where it is for something else.
    func fit(of key: String) -> Int? {
        let (host, path) = Self.parts(of: key)
        guard hosts.contains(host) else { return nil }
        if path.isEmpty { return 0 }
        return paths.contains(path) ? path.split(separator: "/").count : nil
    }

    /// Host (with its port) and path of a key. A scheme is dropped, and so is the path that only names an API.
    private static func parts(of key: String) -> (host: String, path: String) {
        var rest = key[...]
        for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let host = rest[..<slash].lowercased()
        let path = rest[slash...].split(separator: "/").joined(separator: "/")
        return (host, ["v1", "v2"].contains(path) ? "" : path)
    }
}
