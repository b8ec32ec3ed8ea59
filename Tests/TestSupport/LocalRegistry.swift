import FoundationEssentials
import Glibc

/// Debian's `docker-registry` on a free port of the loopback interface, as long as this value lives.
public final class LocalRegistry: Sendable {
    /// `127.0.0.1:PORT`
    public let host: String
    public let port: Int
    private let process: pid_t
    private let directory: TemporaryDirectory

    private static let program = "/usr/bin/docker-registry"

    /// Whether tests need it. `LICHEN_TESTS_WITHOUT_REGISTRY=1` says that this machine cannot have it.
    public static var isExpected: Bool { getenv("LICHEN_TESTS_WITHOUT_REGISTRY") == nil }

    /// Starts a registry with an empty storage.
    ///
    /// - Parameters:
    ///   - http: more lines below `http:` of its configuration, such as `tls:`, each indented by two.
    ///   - sections: more sections of its configuration, such as `auth:`.
    public init(http: String = "", sections: String = "") throws {
        guard access(Self.program, X_OK) == 0 else {
            throw TestSupportError(
                "\(Self.program) is missing: install Debian's package docker-registry, "
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
        process = try Program.start(
            [Self.program, "serve", directory.path("config.yml")], output: directory.path("log"))
        guard let port = Self.awaitPort(in: directory) else {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            let log = (try? directory.read("log")).map { String(decoding: $0, as: UTF8.self) }
            throw TestSupportError("docker-registry did not start: \(log ?? "no log")")
        }
        self.port = port
        host = "127.0.0.1:\(port)"
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    /// What it logged so far.
    public var log: String {
        get throws { String(decoding: try directory.read("log"), as: UTF8.self) }
    }

    private static func awaitPort(in directory: TemporaryDirectory) -> Int? {
        let marker = "listening on 127.0.0.1:"
        for _ in 0..<1000 {
            // Until it is there, the log has no line of that kind.
            let log = String(decoding: (try? directory.read("log")) ?? [], as: UTF8.self)
            if let found = log.firstRange(of: marker) {
                let digits = log[found.upperBound...].prefix { $0.isNumber }
                if let port = Int(digits) { return port }
            }
            usleep(10_000)
        }
        return nil
    }
}
