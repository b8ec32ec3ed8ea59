import Glibc

/// Debian's `docker-registry` on a free port of the loopback interface, as long as this value lives.
public final class LocalRegistry: Sendable {
    /// `127.0.0.1:PORT`
    public let host: String
    public let port: Int
    private let program: RunningProgram
    private let directory: TemporaryDirectory

    private static let path = "/usr/bin/docker-registry"

    /// Whether tests need it. `LICHEN_TESTS_WITHOUT_REGISTRY=1` says that this machine cannot have it.
    public static var isExpected: Bool { getenv("LICHEN_TESTS_WITHOUT_REGISTRY") == nil }

    /// Starts a registry with an empty storage.
    ///
    /// - Parameters:
    ///   - http: more lines below `http:` of its configuration, such as `tls:`, each indented by two.
    ///   - sections: more sections of its configuration, such as `auth:`.
    public init(http: String = "", sections: String = "") throws {
        guard access(Self.path, X_OK) == 0 else {
            throw TestSupportError(
                "\(Self.path) is missing: install Debian's package docker-registry, "
                    + "or set LICHEN_TESTS_WITHOUT_REGISTRY=1")
        }
        directory = try TemporaryDirectory()
        let configuration = """
            version: 0.1
            log:
              level: info
            storage:
              filesystem:
                rootdirectory: \(directory.path("storage"))
              delete:
                enabled: true
            http:
              addr: 127.0.0.1:0
            \(http)
            \(sections)
            """
        try directory.write("config.yml", configuration.utf8)
        program = try RunningProgram([Self.path, "serve", directory.path("config.yml")])
        port = try program.number(after: "listening on 127.0.0.1:")
        host = "127.0.0.1:\(port)"
    }

    /// What it logged so far.
    public var log: String { program.output }
}
