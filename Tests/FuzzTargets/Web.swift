import Credentials
import Dispatch
import HTTP
import Linux
import OCI
import Registry
import Synchronization
import TestSupport

extension FuzzTarget {
    /// Answers of a server, byte by byte, as the client of HTTP and that of registries take them.
    static func http() throws -> FuzzTarget {
        let manifest = """
            {"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\
            \(String(repeating: "0", count: 64))","size":2},"layers":[]}
            """
        let seeds = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n"
                + "Content-Length: \(manifest.utf8.count)\r\n\r\n\(manifest)",
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://HOST/token\",service=\"s\"\r\n"
                + "Content-Length: 40\r\n\r\n{\"errors\":[{\"code\":\"X\",\"message\":\"m\"}]}",
            "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\":\"t\"}",
            "HTTP/1.1 307 Moved\r\nLocation: http://HOST/elsewhere\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.0 404 Gone\r\n\r\nuntil the end",
            "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
        ]
        let fragments = [
            "HTTP/1.1 ", "HTTP/2 ", "HTTP/0.9", "\r\n", "\n", "\r", "\r\n\r\n", ": ",
            "Content-Length: ", "99999999999999999999",
            "-1", "Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n", "0\r\n\r\n",
            "Content-Encoding: gzip\r\n", "Location: ",
            "file:///etc/passwd", "//HOST/", "Retry-After: -1\r\n", "\u{0}", "\t", " x: folded\r\n",
            "Set-Cookie: a=b\r\n",
            "Docker-Content-Digest: sha256:00\r\n", "WWW-Authenticate: Basic\r\n",
            "Connection: close\r\n", "200", "3", "999",
        ]
        let exchange = try Exchange()
        return FuzzTarget("http", seeds: seeds.bytes, fragments: fragments.bytes, exchange.run)
    }
}

/// One server that says what it is told, and the clients.
private final class Exchange: Sendable {
    private static let longestAnswer = 1 << 16

    private let server: ScriptedServer
    private let answer: Answer
    private let client = HTTPClient(userAgent: "fuzz")

    private final class Answer: Sendable { let bytes = Mutex<[UInt8]>([]) }

    init() throws {
        let answer = Answer()
        self.answer = answer
        server = try ScriptedServer { _ in [.send(answer.bytes.withLock { $0 }), .close] }
    }

    func run(_ bytes: [UInt8]) throws {
        let host = Array(server.host.utf8)
        let name = Array("HOST".utf8)
        var told: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: name) {
                told += host
                index += name.count
            } else {
                told.append(bytes[index])
                index += 1
            }
        }
        answer.bytes.withLock { $0 = Array(told.prefix(Self.longestAnswer)) }
        try wait { try await self.collect() }
        try wait { try await self.pull() }
    }

    private var timeouts: HTTPTimeouts {
        var timeouts = HTTPTimeouts()
        (timeouts.connect, timeouts.response, timeouts.stalled) = (
            .seconds(3), .seconds(3), .seconds(3)
        )
        return timeouts
    }

    private func collect() async throws {
        guard let url = HTTPURL("http://\(server.host)/x") else { return }
        var request = HTTPRequest(.get, url)
        request.timeouts = timeouts
        let response: HTTPResponse
        do throws(HTTPError) { response = try await client.collect(request, limit: 4096) } catch {
            _ = "\(error)"
            return
        }
        try require(response.body.count <= 4096, "\(response.body.count) bytes of a body")
        try require((100...999).contains(response.status), "the status \(response.status)")
        for (name, value) in response.headers.fields {
            let bytes = Array(name.utf8) + Array(value.utf8)
            let isLine = !bytes.contains { $0 == 0x0a || $0 == 0x0d || $0 == 0 }
            try require(isLine, "a header with a line's end")
        }
    }

    private func pull() async throws {
        var options = RegistryOptions()
        options.plainHTTP = [server.host]
        options.timeouts = timeouts
        options.retries.attempts = 1
        let registry = try RegistryClient(
            server.host, http: client,
            authorizer: RegistryAuthorizer(
                http: client, credentials: FixedCredential(nil, registry: server.host),
                options: options),
            options: options)
        do throws(RegistryError) {
            let found = try await registry.manifest(.tag("x"), in: "a/b")
            _ = found.document
        } catch { _ = "\(error)" }
    }

    /// The fuzzer's thread waits; the work is done on others.
    private func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
        let outcome = Outcome()
        let done = DispatchSemaphore(value: 0)
        Task {
            do { try await body() } catch { outcome.error.withLock { $0 = "\(error)" } }
            done.signal()
        }
        if done.wait(timeout: .now() + 20) == .timedOut { throw Broken("no end after 20 s") }
        if let error = outcome.error.withLock({ $0 }) { throw Broken(error) }
    }

    private final class Outcome: Sendable { let error = Mutex<String?>(nil) }
}
