import Glibc
import HTTP
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct `An HTTP client` {
    let client = HTTPClient()

    private func url(_ server: ScriptedServer, _ path: String = "/") throws -> HTTPURL {
        try #require(HTTPURL("http://\(server.host)\(path)"))
    }

    private func problem(
        of request: HTTPRequest, limit: Int = 1 << 20
    ) async -> HTTPError.Problem? {
        do throws(HTTPError) {
            _ = try await client.collect(request, limit: limit)
            return nil
        } catch {
            return error.problem
        }
    }

    @Test func `collects an answer`() async throws {
        let server = try ScriptedServer { _ in
            [.answer(404, ["X-A": " b ", "x-a": "c"], body: "gone".utf8)]
        }
        let response = try await client.collect(HTTPRequest(.get, try url(server)), limit: 4)
        #expect(response.status == 404 && !response.isSuccess)
        #expect(response.body == Array("gone".utf8))
        #expect(response.headers.all("x-a") == ["b", "c"])
        #expect(server.requests[0].headers["user-agent"] == "lichen")
        #expect(server.requests[0].headers["authorization"] == nil)
    }

    @Test func `uses a connection again`() async throws {
        let server = try ScriptedServer { _ in [.answer(200, body: "x".utf8)] }
        // One that nobody used for so long may be closed: other tests may have had all threads meanwhile.
        var (pauses, last) = (0, ContinuousClock.now)
        for _ in 0..<5 {
            _ = try await client.collect(HTTPRequest(.get, try url(server)), limit: 10)
            if ContinuousClock.now - last > .seconds(50) { pauses += 1 }
            last = .now
        }
        #expect(server.requests.count == 5)
        #expect((1...(1 + pauses)).contains(server.connections))
    }

    /// Found by fuzzing: curl issues 11101 and 11620.
    @Test func `survives a header that goes on from none`() async throws {
        let server = try ScriptedServer { request in
            let first = request.target == "/1" ? "X-A: b" : " x: folded"
            return [
                .send(Array("HTTP/1.1 200 OK\r\n\(first)\r\nContent-Length: 1\r\n\r\nx".utf8))
            ]
        }
        for path in ["/1", "/2", "/1", "/2"] {
            let request = HTTPRequest(.get, try url(server, path))
            let response = try? await client.collect(request, limit: 10)
            #expect(path == "/2" || response?.body == Array("x".utf8))
        }
    }

    @Test func `does not follow a redirect`() async throws {
        let server = try ScriptedServer { _ in [.answer(302, ["Location": "/elsewhere"])] }
        let response = try await client.collect(HTTPRequest(.get, try url(server)), limit: 10)
        #expect(response.status == 302 && response.headers["location"] == "/elsewhere")
        #expect(server.requests.count == 1)
    }

    @Test func `forgets interim answers`() async throws {
        let server = try ScriptedServer { _ in
            [
                .send(Array("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n".utf8)),
                .answer(200, body: "x".utf8),
            ]
        }
        let response = try await client.collect(HTTPRequest(.get, try url(server)), limit: 10)
        #expect(response.status == 200 && response.headers["x-early"] == nil)
    }

    @Test func `sends a body from memory, from a part of a file, and from a function`() async throws
    {
        let server = try ScriptedServer { _ in [.answer(201)] }
        let directory = try TemporaryDirectory()
        let content = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
        let file = try FileDescriptor.open(
            FilePath(try directory.write("file", content)), .readOnly)
        defer { try? file.close() }  // it was only read
        let left = Mutex(content[...])
        let bodies: [HTTPBody] = [
            .none, .bytes(content), .file(file, offset: 1000, length: 500_000),
            .stream(length: Int64(content.count)) { buffer in
                left.withLock { left in
                    let part = left.prefix(min(buffer.count, 1234))
                    buffer.copyBytes(from: part)
                    left = left.dropFirst(part.count)
                    return part.count
                }
            },
        ]
        for body in bodies {
            let response = try await client.collect(
                HTTPRequest(.put, try url(server), body: body), limit: 10)
            #expect(response.status == 201)
        }
        #expect(
            server.requests.map(\.body) == [[], content, Array(content[1000..<501_000]), content])
        #expect(server.requests[0].headers["content-length"] == "0")
        #expect(server.requests.allSatisfy { $0.headers["expect"] == nil })
    }

    @Test func `streams into a sink and counts for its observer`() async throws {
        let content = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) }
        let server = try ScriptedServer { _ in [.answer(200, body: content)] }
        let counter = Counter()
        let received = Mutex<[UInt8]>([])
        let response = try await client.send(
            HTTPRequest(.get, try url(server)), observer: counter
        ) { _ in .stream { bytes in received.withLock { $0.append(contentsOf: bytes) } } }
        #expect(response.body.isEmpty)
        #expect(received.withLock { $0 } == content)
        #expect(counter.totals == [1, 1_000_000, 0])
    }

    @Test func `refuses a body beyond the limit`() async throws {
        let server = try ScriptedServer { _ in [.answer(200, body: "12345".utf8)] }
        guard case .tooLarge(4)? = await problem(of: HTTPRequest(.get, try url(server)), limit: 4)
        else { throw TestSupportError("not refused") }
    }

    @Test func `refuses an endless header`() async throws {
        let server = try ScriptedServer { _ in
            [.send(Array("HTTP/1.1 200 OK\r\n".utf8))]
                + (0..<600).map { .send(Array("X-\($0): y\r\n".utf8)) } + [.wait(.seconds(5))]
        }
        guard case .headersTooLarge? = await problem(of: HTTPRequest(.get, try url(server))) else {
            throw TestSupportError("not refused")
        }
    }

    @Test func `refuses a header that would become two`() async throws {
        let server = try ScriptedServer { _ in [.answer(200)] }
        let request = HTTPRequest(.get, try url(server), headers: ["X": "a\r\nY: b"])
        guard case .invalidHeader("X")? = await problem(of: request) else {
            throw TestSupportError("not refused")
        }
        #expect(server.requests.isEmpty)
    }

    @Test func `says when the connection breaks in the middle`() async throws {
        let server = try ScriptedServer { _ in
            [.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".utf8)), .close]
        }
        guard case .closed? = await problem(of: HTTPRequest(.get, try url(server))) else {
            throw TestSupportError("no error")
        }
    }

    @Test func `says when nobody listens`() async throws {
        let address = try #require(HTTPURL("http://127.0.0.1:1/"))
        guard case .connectionRefused? = await problem(of: HTTPRequest(.get, address)) else {
            throw TestSupportError("no error")
        }
    }

    @Test func `waits for an answer no longer than told`() async throws {
        let server = try ScriptedServer { _ in [.wait(.seconds(60))] }
        var request = HTTPRequest(.get, try url(server))
        request.timeouts.response = .milliseconds(100)
        // Whoever waits until the server closes has another problem.
        guard case .responseTimeout? = await problem(of: request) else {
            throw TestSupportError("no error")
        }
    }

    @Test func `waits for the next byte no longer than told`() async throws {
        let server = try ScriptedServer { _ in
            [
                .send(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".utf8)),
                .wait(.seconds(20)),
            ]
        }
        var request = HTTPRequest(.get, try url(server))
        request.timeouts.stalled = .milliseconds(100)
        guard case .stalled? = await problem(of: request) else {
            throw TestSupportError("no error")
        }
    }

    @Test func `hands on what a sink throws`() async throws {
        struct Full: Error {}
        let server = try ScriptedServer { _ in [.answer(200, body: "x".utf8)] }
        await #expect {
            try await client.send(HTTPRequest(.get, try url(server))) { _ in
                .stream { _ in throw Full() }
            }
        } throws: { error in
            if case .sink(let inner)? = (error as? HTTPError)?.problem {
                inner is Full
            } else {
                false
            }
        }
    }

    @Test func `sends nothing more when its file is shorter than it was said to be`() async throws {
        let server = try ScriptedServer { _ in [.answer(200)] }
        let directory = try TemporaryDirectory()
        let file = try FileDescriptor.open(
            FilePath(try directory.write("file", "abc".utf8)), .readOnly)
        defer { try? file.close() }  // it was only read
        let body = HTTPBody.file(file, offset: 0, length: 4)
        guard case .shortSource? = await problem(of: HTTPRequest(.put, try url(server), body: body))
        else { throw TestSupportError("no error") }
        #expect(server.requests.isEmpty)
    }

    @Test func `ends at once when its task is cancelled`() async throws {
        let server = try ScriptedServer { _ in [.wait(.seconds(30))] }
        let request = HTTPRequest(.get, try url(server))
        var times: [Duration] = []
        // Whoever waits for the next look at the clock is late each time; whoever has no processor for a while is not.
        while times.count < 10, (times.min() ?? .seconds(1)) >= .milliseconds(900) {
            let count = server.requests.count
            let task = Task { await problem(of: request) }
            while server.requests.count == count { try await Task.sleep(for: .milliseconds(5)) }
            let start = ContinuousClock.now
            task.cancel()
            guard case .cancelled? = await task.value else {
                throw TestSupportError("not cancelled")
            }
            times.append(ContinuousClock.now - start)
        }
        #expect(times.min()! < .milliseconds(900), "\(times)")
    }

    @Test func `asks a proxy of the environment, but not about this machine`() async {
        await #expect(processExitsWith: .success) {
            let proxy = try ScriptedServer { _ in [.answer(200, body: "proxy".utf8)] }
            let server = try ScriptedServer { _ in [.answer(200, body: "server".utf8)] }
            setenv("http_proxy", "http://\(proxy.host)", 1)
            var answers: [String] = []
            for address in ["http://example.invalid/x", "http://\(server.host)/x"] {
                let url = try #require(HTTPURL(address))
                let response = try await HTTPClient().collect(HTTPRequest(.get, url), limit: 10)
                answers.append(String(decoding: response.body, as: UTF8.self))
            }
            #expect(answers == ["proxy", "server"])
        }
    }

    @Test func `tells no secret in its errors`() async throws {
        let address = try #require(HTTPURL("http://127.0.0.1:1/x?token=secret"))
        await #expect {
            try await client.collect(
                HTTPRequest(.get, address, headers: ["Authorization": "Basic secret"]), limit: 1)
        } throws: { error in
            "\(error)" == "GET http://127.0.0.1:1/x?…: connection refused"
                && !String(reflecting: error).contains("secret")
        }
    }
}

/// Requests, bytes received, bytes sent.
final class Counter: TransferObserver {
    private let counts = Mutex([0, 0, 0])
    var totals: [Int] { counts.withLock { $0 } }
    func requestStarted(_ method: HTTPRequest.Method, _ url: HTTPURL) {
        counts.withLock { $0[0] += 1 }
    }
    func received(_ bytes: Int) { counts.withLock { $0[1] += bytes } }
    func sent(_ bytes: Int) { counts.withLock { $0[2] += bytes } }
}
