import FoundationEssentials
import Synchronization
import TestSupport

/// A registry on a loopback port that serves one image under every name, and lies where it is told to.
///
/// It writes down every request. Two of them are two origins; `named` is a third for the same port: `localhost` is another host than
/// 127.0.0.1.
final class EvilRegistry: Sendable {
    typealias Request = ScriptedServer.Request
    typealias Step = ScriptedServer.Step

    private let server: ScriptedServer
    private let state: State

    private final class State: Sendable {
        let blobs: RawImage.Blobs
        /// The header without which it gives nothing; nil for a registry that is open to all.
        let password: String?
        let lie = Mutex<(@Sendable (Request) -> [Step]?)?>(nil)
        init(_ blobs: RawImage.Blobs, _ password: String?) {
            self.blobs = blobs
            self.password = password
        }
    }

    /// - Parameter user: `name:password` that it asks for, by Basic authentication.
    init(_ image: RawImage = RawImage { $0.file("x") }, user: String? = nil) throws {
        let password = user.map { "Basic " + Data($0.utf8).base64EncodedString() }
        let state = State(try image.blobs(), password)
        self.state = state
        server = try ScriptedServer { request in
            if let steps = state.lie.withLock({ $0 })?(request) { return steps }
            return Self.answer(request, state)
        }
    }

    /// `127.0.0.1:PORT`
    var host: String { server.host }
    /// `localhost:PORT`
    var named: String { "localhost:\(server.port)" }
    var requests: [Request] { server.requests }
    var blobs: RawImage.Blobs { state.blobs }
    var layer: String { state.blobs.layers[0] }

    /// Asked first about each request; nil leaves the honest answer.
    func lie(_ body: @escaping @Sendable (Request) -> [Step]?) {
        state.lie.withLock { $0 = body }
    }

    /// Requests that carry something secret.
    var credentials: [String] {
        requests.flatMap { request in
            ["authorization", "cookie", "proxy-authorization"].compactMap { request.headers[$0] }
                + (String(decoding: request.body, as: UTF8.self).contains("refresh_token")
                    ? ["refresh_token"] : [])
        }
    }

    private static func answer(_ request: Request, _ state: State) -> [Step] {
        if let password = state.password, request.headers["authorization"] != password {
            return [.answer(401, ["WWW-Authenticate": "Basic realm=\"tests\""])]
        }
        let path = String(request.target.prefix { $0 != "?" })
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        let isHead = request.method == "HEAD"
        switch request.method {
        case "GET", "HEAD":
            if path == "/v2/" { return [.answer(200, body: "{}".utf8)] }
            if path.contains("/manifests/") {
                let (digest, bytes) = state.blobs.manifest
                return [
                    .answer(
                        200,
                        [
                            "Content-Type": RawImage.manifestType, "Docker-Content-Digest": digest,
                            "Content-Length": "\(bytes.count)",
                        ], body: isHead ? [] : bytes)
                ]
            }
            guard path.contains("/blobs/"), let blob = state.blobs.content[last] else {
                return [.answer(404)]
            }
            return [
                .answer(200, ["Content-Length": "\(blob.count)"], body: isHead ? [] : blob)
            ]
        case "POST":
            return [.answer(202, ["Location": "\(path)session"])]
        case "PATCH":
            return [.answer(202, ["Location": path])]
        default: return [.answer(201)]
        }
    }
}

extension Scene {
    /// Gives the user a name and a password for registries, in ~/.docker/config.json.
    func logIn(to hosts: [String], user: String) throws {
        let word = Data(user.utf8).base64EncodedString()
        let entries = hosts.map { "\"\($0)\":{\"auth\":\"\(word)\"}" }.joined(separator: ",")
        try writeDockerConfig("{\"auths\":{\(entries)}}")
    }

    func writeDockerConfig(_ text: String) throws {
        let folder = lichen.home + "/.docker"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: folder + "/config.json"))
    }

    /// Pulls all of an image, and unpacks it.
    func pull(_ name: String, _ environment: [String: String] = [:]) throws -> Command.Outcome {
        try build(
            "FROM \(name) AS base\nFROM scratch\nCOPY --from=base / /\n", [:], [], environment)
    }
}
