import FoundationEssentials
import Glibc
import Synchronization
import TestSupport

/// What the cases reach: a server with a file, one that wants a token, repositories, Dockerfiles; and the socket of an agent.
final class WholeServer: Sendable {
    private let server: ScriptedServer
    private let repositories: Repositories
    private let folder: TemporaryDirectory
    private let dockerfiles: Dockerfiles
    private let agent: CInt

    private final class Dockerfiles: Sendable {
        let texts = Mutex<[String]>([])
    }

    static let token = "let-me-in"

    init() throws {
        let (repositories, dockerfiles) = (try Repositories(), Dockerfiles())
        self.repositories = repositories
        self.dockerfiles = dockerfiles
        server = try ScriptedServer { request in
            [Self.answer(request, repositories.path, dockerfiles)]
        }
        folder = try TemporaryDirectory()
        agent = try Self.listen(at: folder.path("agent"))
    }

    deinit { close(agent) }

    /// `text` with what the placeholders stand for.
    func filled(_ text: String, context: String) -> String {
        text.replacing("SERVER", with: name)
            .replacing("REPO", with: "http://\(server.host)/repo.git")
            .replacing("PRIVATE", with: "http://\(server.host)/private/repo.git")
            .replacing("AGENT", with: folder.path("agent"))
            .replacing("CONTEXT", with: context)
    }

    private var name: String { server.host }

    /// The URL of a Dockerfile.
    func publish(_ dockerfile: String) -> String {
        let number = dockerfiles.texts.withLock { texts in
            texts.append(dockerfile)
            return texts.count - 1
        }
        return "http://\(server.host)/dockerfiles/\(number)"
    }

    private static func answer(
        _ request: ScriptedServer.Request, _ path: String, _ dockerfiles: Dockerfiles
    ) -> ScriptedServer.Step {
        let target = String(request.target.prefix { $0 != "?" })
        let login = request.headers["authorization"]
        if target == "/file" { return .answer(200, body: "served".utf8) }
        if target == "/private" {
            return login == "Bearer \(token)"
                ? .answer(200, body: "private".utf8) : .answer(401)
        }
        if let number = Int(target.trimmingPrefix("/dockerfiles/")), target.hasPrefix("/d") {
            return .answer(200, body: dockerfiles.texts.withLock { $0[number] }.utf8)
        }
        var name = target
        if target.hasPrefix("/private/") {
            // As git sends it: a user that no server looks at, and the token.
            let word = Data("x-access-token:\(token)".utf8).base64EncodedString()
            guard login?.lowercased() == "basic \(word)".lowercased() else { return .answer(401) }
            name = String(target.dropFirst("/private".count))
        }
        guard !name.contains(".."), let data = try? Data(contentsOf: URL(filePath: path + name))
        else { return .answer(404) }
        return .answer(200, body: data)
    }

    private static func listen(at path: String) throws -> CInt {
        let listener = socket(
            AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw TestSupportError("\(path) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let error = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | Glibc.listen(listener, 4)
            }
        }
        guard listener >= 0, error == 0 else { throw TestSupportError("listen at \(path)") }
        return listener
    }
}
