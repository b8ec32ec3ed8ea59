import HTTP
import OCI
import Registry
import Synchronization
import TestSupport
import Testing

@Suite struct `A client of a faulty registry` {
    private func client(
        _ server: ScriptedServer, _ authorizer: any Authorizer = AnonymousAuthorizer(),
        _ options: RegistryOptions = .impatient, _ observer: (any TransferObserver)? = nil
    ) throws -> RegistryClient {
        try RegistryClient(
            server.host, http: HTTPClient(), authorizer: authorizer, options: options,
            observer: observer)
    }

    private func pull(_ blob: TestBlob, _ server: ScriptedServer) async throws -> RegistryError? {
        let client = try client(server)
        return await failure { () throws(RegistryError) in
            try await client.pullBlob(blob.descriptor, from: "a") { _ in }
        }
    }

    /// The rest of `bytes` that a request's Range asks for.
    private static func part(_ bytes: [UInt8], _ request: ScriptedServer.Request) -> Int {
        let range = request.headers["range"] ?? "bytes=0-"
        return Int(range.dropFirst("bytes=".count).dropLast()) ?? 0
    }

    @Test func `resumes a blob where the connection broke`() async throws {
        let blob = try TestBlob(TestBlob.noise(1_000_000))
        let bytes = blob.bytes
        let server = try ScriptedServer { request in
            let start = Self.part(bytes, request)
            let end = min(start + 70_000, bytes.count)
            let status = start == 0 ? "200 OK" : "206 Partial Content"
            let head = """
                HTTP/1.1 \(status)\r
                Content-Length: \(bytes.count - start)\r
                Content-Range: bytes \(start)-\(bytes.count - 1)/\(bytes.count)\r
                \r

                """
            return [.send(Array(head.utf8) + bytes[start..<end]), .close]
        }
        let collector = Collector(), traffic = Traffic()
        try await client(server, AnonymousAuthorizer(), .impatient, traffic)
            .pullBlob(blob.descriptor, from: "a") { collector.take($0) }
        #expect(collector.bytes == bytes)
        #expect(traffic.totals.received == bytes.count)
        #expect(server.requests.count > 10)
    }

    @Test func `passes over what a server without ranges sends again`() async throws {
        let blob = try TestBlob(TestBlob.noise(100_000))
        let bytes = blob.bytes
        let count = Mutex(0)
        let server = try ScriptedServer { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            let head = Array("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n".utf8)
            return number < 3
                ? [.send(head + bytes[..<(number * 30_000)]), .close] : [.send(head + bytes)]
        }
        let collector = Collector()
        try await client(server).pullBlob(blob.descriptor, from: "a") { collector.take($0) }
        #expect(collector.bytes == bytes)
    }

    @Test func `refuses a blob with a wrong digest, and does not ask again`() async throws {
        let blob = try TestBlob("right".utf8)
        let server = try ScriptedServer { _ in [.answer(200, body: "wrong".utf8)] }
        let error = try await pull(blob, server)
        guard case .digestMismatch(blob.descriptor.digest, _)? = error?.problem else {
            throw TestSupportError("\(error as Any)")
        }
        #expect(server.requests.count == 1)
    }

    @Test func `refuses a blob with a wrong size, announced or not`() async throws {
        let blob = try TestBlob("right".utf8)
        for body in ["righ", "right!"] {
            let server = try ScriptedServer { _ in [.answer(200, body: body.utf8)] }
            let error = try await pull(blob, server)
            guard case .sizeMismatch(5, Int64(body.utf8.count))? = error?.problem else {
                throw TestSupportError("\(error as Any)")
            }
            let silent = try ScriptedServer { _ in
                [.send(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(body)".utf8)), .close]
            }
            let second = try await pull(blob, silent)
            guard case .sizeMismatch(5, Int64(body.utf8.count))? = second?.problem else {
                throw TestSupportError("\(second as Any)")
            }
        }
    }

    @Test func `refuses another range than it asked for`() async throws {
        let blob = try TestBlob(TestBlob.noise(100))
        let bytes = blob.bytes
        let server = try ScriptedServer { request in
            if request.headers["range"] == nil {
                let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".utf8)
                return [.send(head + bytes[..<50]), .close]
            }
            return [
                .answer(206, ["Content-Range": "bytes 40-89/100"], body: bytes[40..<90])
            ]
        }
        let error = try await pull(blob, server)
        guard case .malformed? = error?.problem else { throw TestSupportError("\(error as Any)") }
    }

    @Test func `follows a blob to another origin without its credentials`() async throws {
        let blob = try TestBlob("content".utf8)
        let storage = try ScriptedServer { _ in [.answer(200, body: "content".utf8)] }
        let address = "http://\(storage.host)/b?signature=x"
        let server = try ScriptedServer { request in
            request.target.hasSuffix("/again")
                ? [.answer(302, ["Location": address])]
                : [.answer(307, ["Location": request.target + "/again"])]
        }
        try await client(server, FixedAuthorizer("Bearer secret"))
            .pullBlob(blob.descriptor, from: "a") { _ in }
        #expect(
            server.requests.map { $0.headers["authorization"] } == [
                "Bearer secret", "Bearer secret",
            ])
        #expect(storage.requests.map(\.target) == ["/b?signature=x"])
        #expect(storage.requests[0].headers["authorization"] == nil)
    }

    @Test func `uploads nothing to another origin`() async throws {
        let blob = try TestBlob("content".utf8)
        let storage = try ScriptedServer { _ in [.answer(201)] }
        let address = "http://\(storage.host)/upload?state=x"
        let server = try ScriptedServer { _ in [.answer(202, ["Location": address])] }
        let error = await #expect(throws: RegistryError.self) {
            try await client(server, FixedAuthorizer("Bearer secret"))
                .uploadBlob(blob.descriptor, from: blob.file, to: "a")
        }
        #expect(error?.description.contains(storage.host) == true)
        #expect(storage.requests.isEmpty)
    }

    @Test func `leaves a circle of redirects`() async throws {
        let server = try ScriptedServer { request in
            [.answer(302, ["Location": request.target])]
        }
        let error = try await pull(try TestBlob("x".utf8), server)
        guard case .redirect? = error?.problem else { throw TestSupportError("\(error as Any)") }
        #expect(server.requests.count == 6)
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1/x"])
    func `goes nowhere but to plain http addresses`(location: String) async throws {
        let server = try ScriptedServer { _ in [.answer(302, ["Location": location])] }
        let error = try await pull(try TestBlob("x".utf8), server)
        guard case .malformed? = error?.problem else { throw TestSupportError("\(error as Any)") }
    }

    @Test func `waits as long as the registry asks`() async throws {
        let server = try ScriptedServer { [count = Mutex(0)] _ in
            count.withLock { count in
                count += 1
                return count == 1
                    ? [.answer(429, ["Retry-After": "1"])] : [.answer(200, body: "x".utf8)]
            }
        }
        let start = ContinuousClock.now
        #expect(try await pull(try TestBlob("x".utf8), server) == nil)
        #expect(ContinuousClock.now - start >= .seconds(1))
    }

    @Test func `does not wait for a registry that asks too much`() async throws {
        let server = try ScriptedServer { _ in [.answer(429, ["Retry-After": "86400"])] }
        let error = try await pull(try TestBlob("x".utf8), server)
        guard case .rateLimited? = error?.problem else { throw TestSupportError("\(error as Any)") }
        #expect(server.requests.count == 1)
    }

    @Test func `asks again after a failure of the server, but not for ever`() async throws {
        let server = try ScriptedServer { _ in [.answer(503)] }
        let error = try await pull(try TestBlob("x".utf8), server)
        guard case .status(503)? = error?.problem else { throw TestSupportError("\(error as Any)") }
        #expect(server.requests.count == 5)
    }

    @Test(arguments: [(401, true, false), (403, false, true)])
    func `tells a missing login from a refusal`(
        status: Int, unauthorized: Bool, denied: Bool
    ) async throws {
        let body = #"{"errors":[{"code":"DENIED","message":"no\u001b[31m way"}]}"#
        let server = try ScriptedServer { _ in
            [
                .answer(
                    status, ["WWW-Authenticate": #"Bearer realm="https://t/x",service="s, t""#],
                    body: body.utf8)
            ]
        }
        let authorizer = FixedAuthorizer("Basic secret")
        let client = try client(server, authorizer)
        let error = await failure { () throws(RegistryError) in
            try await client.manifest(.tag("x"), in: "a/b")
        }
        #expect(error?.isUnauthorized == unauthorized && error?.isDenied == denied)
        #expect("\(error!)".hasSuffix("(DENIED: no[31m way)"))
        #expect(!String(reflecting: error).contains("secret"))
        #expect(error?.hint != nil)
        #expect(
            authorizer.challenges
                == (unauthorized
                    ? [
                        Challenge(
                            scheme: "bearer",
                            parameters: ["realm": "https://t/x", "service": "s, t"])
                    ] : []))
        #expect(authorizer.access.map(\.repository) == ["a/b"])
    }

    @Test func `refuses a manifest that is not what it is called`() async throws {
        let manifest = #"{"schemaVersion":2,"manifests":[]}"#
        let server = try ScriptedServer { request in
            let lie = "sha256:" + String(repeating: "0", count: 64)
            let headers = request.target.hasSuffix("lie") ? ["Docker-Content-Digest": lie] : [:]
            return [.answer(200, headers, body: manifest.utf8)]
        }
        let client = try client(server)
        let wanted = Digest(sha256: Array(repeating: 7, count: 32))
        for name in [ManifestName.digest(wanted), .tag("lie")] {
            let error = await failure { () throws(RegistryError) in
                try await client.manifest(name, in: "a")
            }
            guard case .digestMismatch? = error?.problem else {
                throw TestSupportError("\(error as Any)")
            }
        }
        #expect(try await client.manifest(.tag("x"), in: "a").bytes == Array(manifest.utf8))
    }

    @Test func `refuses a manifest without end`() async throws {
        let server = try ScriptedServer { _ in
            [.answer(200, body: [UInt8](repeating: 32, count: DocumentLimits.manifestBytes + 1))]
        }
        let client = try client(server)
        let error = await failure { () throws(RegistryError) in
            try await client.manifest(.tag("x"), in: "a")
        }
        guard case .transfer(let transfer)? = error?.problem, case .tooLarge = transfer.problem
        else {
            throw TestSupportError("\(error as Any)")
        }
    }

    @Test func `goes on with a chunked upload where the registry is`() async throws {
        let blob = try TestBlob(TestBlob.noise(300_000))
        let received = Mutex<[UInt8]>([])
        let broken = Mutex(0)
        let server = try ScriptedServer { request in
            let count = received.withLock { $0.count }
            let location = ["Location": "/session", "Range": "0-\(max(0, count - 1))"]
            switch request.method {
            case "POST": return [.answer(202, location)]
            case "GET": return [.answer(204, location)]
            case "PUT": return [.answer(201)]
            case "HEAD": return [.answer(404)]
            default:
                let start = "\(count)-"
                guard request.headers["content-range"]?.hasPrefix(start) == true else {
                    return [.answer(416)]
                }
                let isBreak = broken.withLock { broken in
                    broken += 1
                    return broken % 2 == 1
                }
                received.withLock {
                    $0 += isBreak ? request.body[..<(request.body.count / 2)] : request.body[...]
                }
                return isBreak ? [.close] : [.answer(202, location)]
            }
        }
        try await client(server).uploadBlob(
            blob.descriptor, from: blob.file, to: "a", mode: .chunks(of: 50_000))
        #expect(received.withLock { $0 } == blob.bytes)
    }

    @Test func `begins an upload anew when its connection broke`() async throws {
        let blob = try TestBlob(TestBlob.noise(10_000))
        let puts = Mutex(0)
        let server = try ScriptedServer { request in
            switch request.method {
            case "POST": return [.answer(202, ["Location": "/session"])]
            case "HEAD": return [.answer(404)]
            default:
                let count = puts.withLock { puts in
                    puts += 1
                    return puts
                }
                return count < 3 ? [.close] : [.answer(201)]
            }
        }
        try await client(server).uploadBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(
            server.requests.map(\.method) == [
                "POST", "PUT", "HEAD", "POST", "PUT", "HEAD", "POST", "PUT",
            ])
    }

    @Test func `begins an upload anew when the registry forgot it`() async throws {
        let blob = try TestBlob("content".utf8)
        let sessions = Mutex(0)
        let server = try ScriptedServer { request in
            if request.method == "POST" {
                let number = sessions.withLock { sessions in
                    sessions += 1
                    return sessions
                }
                return [.answer(202, ["Location": "/session\(number)"])]
            }
            return [.answer(request.target.hasPrefix("/session2") ? 201 : 404)]
        }
        try await client(server).uploadBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(server.requests.map(\.method) == ["POST", "PUT", "HEAD", "POST", "PUT"])
    }

    @Test func `believes no registry that has more of an upload than was sent`() async throws {
        let blob = try TestBlob("content".utf8)
        let server = try ScriptedServer { request in
            switch request.method {
            case "POST": [.answer(202, ["Location": "/session"])]
            case "GET": [.answer(204, ["Range": "0-9223372036854775807"])]
            default: [.answer(416)]
            }
        }
        let client = try client(server)
        let error = await failure { () throws(RegistryError) in
            try await client.uploadBlob(
                blob.descriptor, from: blob.file, to: "a", mode: .chunks(of: 3))
        }
        guard case .malformed? = error?.problem else { throw TestSupportError("\(error as Any)") }
    }

    @Test func `ends with its task`() async throws {
        let server = try ScriptedServer { _ in [.answer(503, ["Retry-After": "60"])] }
        let blob = try TestBlob("x".utf8)
        let task = Task { try await pull(blob, server) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        #expect(try await task.value?.isCancelled == true)
    }
}

@Suite struct `A challenge` {
    @Test(arguments: [
        (#"Basic realm="x""#, [Challenge(scheme: "basic", parameters: ["realm": "x"])]),
        (
            #"Bearer realm="a\"b", scope=pull , Basic realm=y"#,
            [
                Challenge(scheme: "bearer", parameters: ["realm": "a\"b", "scope": "pull"]),
                Challenge(scheme: "basic", parameters: ["realm": "y"]),
            ]
        ),
        ("Negotiate", [Challenge(scheme: "negotiate", parameters: [:])]),
        (
            #"Bearer realm="unclosed"#,
            [Challenge(scheme: "bearer", parameters: ["realm": "unclosed"])]
        ),
        ("", []), ("=,=", []), ("\"", []),
    ])
    func `is read as it is written`(value: String, expected: [Challenge]) {
        #expect(Challenge.parse([value]) == expected)
    }
}
