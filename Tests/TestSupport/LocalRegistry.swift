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

    /// What it logged about all that was asked before: it answers first, and writes its line then. A last question, whose line is
    /// waited for, is not among it, and nor are earlier ones.
    public func settledLog() throws -> String {
        let marks = "/v2/settled/"
        let mark = marks + "\(UInt64.random(in: 0...UInt64.max))/tags/list"
        guard let socket = Loopback.connect(to: port) else {
            throw TestSupportError("connect to \(host)")
        }
        defer { close(socket) }
        let question = "GET \(mark) HTTP/1.0\r\nHost: \(host)\r\n\r\n"
        guard send(socket, question, question.utf8.count, CInt(MSG_NOSIGNAL)) == question.utf8.count
        else { throw TestSupportError("ask \(host)") }
        let end = ContinuousClock.now + Command.patience
        while !log.contains("GET \(mark) "), ContinuousClock.now < end { usleep(10_000) }
        // A line of before may still be on its way: two threads wrote, and either may have come first.
        usleep(300_000)
        return log.split(separator: "\n").filter { !$0.contains(marks) }.joined(separator: "\n")
    }
}
