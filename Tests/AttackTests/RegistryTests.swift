import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: registries` {
    private static let network: Set<Int32> = [65, 69]

    @Test(arguments: ["layer", "config", "manifest"])
    func `R01 what has another digest than it was asked for is not kept`(part: String) throws {
        try attack("R01") { scene in
            let evil = try EvilRegistry()
            let (manifest, layer) = (evil.blobs.manifest, evil.layer)
            evil.lie { request in
                let isLayer = request.target.hasSuffix(layer)
                let isManifest = request.target.contains("/manifests/")
                switch part {
                case "layer" where isLayer:
                    return [.answer(200, body: RawTar.make { $0.file("y") })]
                case "config" where request.target.contains("/blobs/") && !isLayer:
                    return [.answer(200, body: "{}".utf8)]
                case "manifest" where isManifest:
                    let bytes = manifest.bytes + [0x20]
                    return [.answer(200, ["Content-Type": RawImage.manifestType], body: bytes)]
                default: return nil
                }
            }
            let name = part == "manifest" ? "a/b@\(manifest.digest)" : "a/b:1"
            let outcome = try scene.pull("\(evil.host)/\(name)")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
            #expect(outcome.error.contains("Dockerfile:"), "\(outcome)")
            #expect(evil.requests.count <= 4)
        }
    }

    @Test func `R02 a blob ends where its descriptor says`() throws {
        try attack("R02") { scene in
            let evil = try EvilRegistry()
            let layer = evil.layer
            evil.lie { request in
                guard request.target.hasSuffix(layer) else { return nil }
                let head = Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8)
                let piece = [UInt8](repeating: 0, count: 1 << 16)
                return [.send(head)] + [Step](repeating: .send(piece), count: 64) + [.close]
            }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
            let kept = scene.lichen.store + "/blobs/sha256/\(layer.dropFirst(7))"
            #expect(!FileManager.default.fileExists(atPath: kept))
        }
    }

    private typealias Step = ScriptedServer.Step

    @Test func `R03 what a header says of the digest is not believed`() throws {
        try attack("R03") { scene in
            let evil = try EvilRegistry()
            let manifest = evil.blobs.manifest
            evil.lie { request in
                guard request.target.contains("/manifests/") else { return nil }
                let wrong = "sha256:" + String(repeating: "a", count: 64)
                return [
                    .answer(
                        200,
                        ["Content-Type": RawImage.manifestType, "Docker-Content-Digest": wrong],
                        body: manifest.bytes)
                ]
            }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
        }
    }

    /// OCI distribution-spec: MUST NOT. GHSA-vh4v-2xq2-g5cg: another port of the same host is another origin.
    @Test(arguments: [301, 302, 303, 307, 308])
    func `R04 a redirect takes no credential along`(status: Int) throws {
        try attack("R04") { scene in
            let user = "user:secret-\(scene.marker)"
            let evil = try EvilRegistry(user: user), storage = try EvilRegistry()
            try scene.logIn(to: [evil.host], user: user)
            let targets = ["http://\(storage.host)", "http://\(storage.named)"]
            for target in targets {
                evil.lie { request in
                    guard request.target.contains("/blobs/"),
                        request.headers["authorization"] != nil
                    else { return nil }
                    return [.answer(status, ["Location": target + request.target])]
                }
                try scene.lichen.run(["prune", "--all"]).required()
                try scene.pull("\(evil.host)/a/b:1").required()
            }
            #expect(storage.requests.count >= 2)
            #expect(storage.credentials.isEmpty, "\(storage.credentials)")
            #expect(!evil.credentials.isEmpty, "the registry itself got them")
        }
    }

    @Test func `R04 back at the registry by another name, there is no credential either`() throws {
        try attack("R04-back") { scene in
            let user = "user:secret-\(scene.marker)"
            let evil = try EvilRegistry(user: user), storage = try EvilRegistry()
            try scene.logIn(to: [evil.host], user: user)
            let named = "http://\(evil.named)"
            evil.lie { request in
                guard request.target.contains("/blobs/") else { return nil }
                let isByName = request.headers["host"]?.hasPrefix("localhost") == true
                // By name it is another origin, and whoever asks there must not show a password.
                if isByName {
                    return [.answer(request.headers["authorization"] == nil ? 403 : 200)]
                }
                return request.headers["authorization"] == nil
                    ? nil : [.answer(307, ["Location": "http://\(storage.host)\(request.target)"])]
            }
            storage.lie { [.answer(307, ["Location": named + $0.target])] }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(!outcome.isSuccess, "\(outcome)")
            let byName = evil.requests.filter { $0.headers["host"]?.hasPrefix("localhost") == true }
            #expect(!byName.isEmpty)
            #expect(byName.allSatisfy { $0.headers["authorization"] == nil })
        }
    }

    /// CVE-2026-48978.
    @Test(arguments: [
        "http://NAMED/token", "https://NAMED/token", "http://169.254.169.254/token",
        "https://localhost/token",
        "http://user:pw@HOST/token", "file:///etc/passwd", "/token", "http://0x7f000001/token",
        "http://HOST.evil.example/token", "gopher://HOST/token",
    ])
    func `R05 a realm that is not the registry's gets no credential`(realm: String) throws {
        try attack("R05") { scene in
            let service = try EvilRegistry(), evil = try EvilRegistry()
            service.lie { _ in [.answer(200, body: #"{"token":"t"}"#.utf8)] }
            let place = realm.replacing("NAMED", with: service.named).replacing(
                "HOST", with: service.host)
            evil.lie { request in
                if request.headers["authorization"] != nil { return nil }
                return [
                    .answer(401, ["WWW-Authenticate": "Bearer realm=\"\(place)\",service=\"s\""])
                ]
            }
            try scene.logIn(to: [evil.host], user: "user:secret-\(scene.marker)")
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(service.credentials.isEmpty, "\(service.credentials)")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
            #expect(!outcome.error.contains("secret-"))
        }
    }

    @Test func `R05 the registry's own realm gets it`() throws {
        try attack("R05-twin") { scene in
            let evil = try EvilRegistry()
            let realm = "http://\(evil.host)/token"
            evil.lie { request in
                if request.target.hasPrefix("/token") {
                    return [.answer(200, body: #"{"token":"t"}"#.utf8)]
                }
                if request.headers["authorization"] == "Bearer t" { return nil }
                return [
                    .answer(401, ["WWW-Authenticate": "Bearer realm=\"\(realm)\",service=\"s\""])
                ]
            }
            try scene.logIn(to: [evil.host], user: "user:secret-\(scene.marker)")
            try scene.pull("\(evil.host)/a/b:1").required()
            #expect(evil.credentials.contains { $0.hasPrefix("Basic ") })
        }
    }

    /// GHSA-jxpm-75mh-9fp7.
    @Test func `R06 an upload does not go where the registry has no name`() throws {
        try attack("R06") { scene in
            let user = "user:secret-\(scene.marker)"
            let evil = try EvilRegistry(user: user), other = try EvilRegistry()
            try scene.logIn(to: [evil.host], user: user)
            let context = try BuildFolder("", ["file": "content-\(scene.marker)"])
            for place in ["http://\(other.host)/up", "http://\(other.named)/up"] {
                evil.lie { request in
                    if request.headers["authorization"] == nil { return nil }
                    if request.method == "HEAD" { return [.answer(404)] }
                    return request.method == "POST" ? [.answer(202, ["Location": place])] : nil
                }
                let outcome = try scene.build(
                    "FROM scratch\nCOPY file /\n", in: context, [:],
                    ["-t", "\(evil.host)/a/b:1", "--push"])
                #expect(!outcome.isSuccess, "\(outcome)")
                #expect(other.requests.allSatisfy { $0.body.isEmpty })
            }
            #expect(other.credentials.isEmpty, "\(other.credentials)")
        }
    }

    @Test(arguments: ["http://user:pw@HOST/up", "file:///tmp/up", "javascript:x", ""])
    func `R06 an upload's place that is none is refused`(place: String) throws {
        try attack("R06-place") { scene in
            let evil = try EvilRegistry()
            let location = place.replacing("HOST", with: evil.host)
            evil.lie { request in
                if request.method == "HEAD" { return [.answer(404)] }
                return request.method == "POST"
                    ? [.answer(202, location.isEmpty ? [:] : ["Location": location])] : nil
            }
            let outcome = try scene.build(
                "FROM scratch\nLABEL a=b\n", [:], ["-t", "\(evil.host)/a/b:1", "--push"])
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
        }
    }

    @Test func `R06 an upload to the registry itself works`() throws {
        try attack("R06-twin") { scene in
            let user = "user:secret-\(scene.marker)"
            let evil = try EvilRegistry(user: user)
            try scene.logIn(to: [evil.host], user: user)
            evil.lie {
                $0.method == "HEAD" && $0.headers["authorization"] != nil ? [.answer(404)] : nil
            }
            try scene.build(
                "FROM scratch\nLABEL a=b\n", [:], ["-t", "\(evil.host)/a/b:1", "--push"]
            ).required()
            #expect(evil.requests.contains { $0.method == "PUT" })
        }
    }

    @Test(arguments: ["self", "each other", "file:///etc/passwd", "javascript:alert(1)", ""])
    func `R07 redirects end`(kind: String) throws {
        try attack("R07") { scene in
            let evil = try EvilRegistry(), other = try EvilRegistry()
            let (one, two) = (evil.host, other.host)
            evil.lie { request in
                guard request.target.contains("/blobs/") else { return nil }
                let target =
                    switch kind {
                    case "self": "http://\(one)\(request.target)"
                    case "each other": "http://\(two)\(request.target)"
                    default: kind
                    }
                return [.answer(307, target.isEmpty ? [:] : ["Location": target])]
            }
            other.lie { [.answer(307, ["Location": "http://\(one)\($0.target)"])] }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
            #expect(evil.requests.count + other.requests.count < 40)
            #expect(outcome.processorTime < .seconds(5))
        }
    }

    private static let answers = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "X: " + String(repeating: "x", count: 1 << 20) + "\r\n\r\nhello",
        String(repeating: "X: y\r\n", count: 100_000) + "\r\nhello",
    ]

    @Test(arguments: answers.indices)
    func `R11 an answer that two readers would cut differently is refused`(number: Int) throws {
        try attack("R11") { scene in
            let evil = try EvilRegistry()
            evil.lie { request in
                guard request.target.contains("/manifests/") else { return nil }
                let head = "HTTP/1.1 200 OK\r\nContent-Type: \(RawImage.manifestType)\r\n"
                return [.send(Array((head + Self.answers[number]).utf8)), .close]
            }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
        }
    }

    @Test func `R12 a packed answer is no bomb`() throws {
        try attack("R12") { scene in
            let evil = try EvilRegistry()
            let manifest = evil.blobs.manifest
            evil.lie { request in
                guard request.target.contains("/manifests/") else { return nil }
                return [
                    .answer(
                        200, ["Content-Type": RawImage.manifestType, "Content-Encoding": "gzip"],
                        body: manifest.bytes)
                ]
            }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            // The bytes are what they are: either the header is refused, or it counts for nothing.
            if outcome.isSuccess { return }
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
        }
    }

    @Test func `R13 a token with a line's end is not sent`() throws {
        try attack("R13") { scene in
            for token in [#"a\r\nX-Injected: yes"#, #"a\u0000b"#, #"a\nb"#, "t\u{f6}ken"] {
                let evil = try EvilRegistry()
                let realm = "http://\(evil.host)/token"
                evil.lie { request in
                    if request.target.hasPrefix("/token") {
                        return [.answer(200, body: #"{"token":"\#(token)"}"#.utf8)]
                    }
                    return [
                        .answer(
                            401, ["WWW-Authenticate": "Bearer realm=\"\(realm)\",service=\"s\""])
                    ]
                }
                let outcome = try scene.pull("\(evil.host)/a/b:1")
                #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
                #expect(evil.requests.allSatisfy { $0.headers["x-injected"] == nil })
                #expect(evil.requests.allSatisfy { $0.headers["authorization"] == nil })
            }
        }
    }

    @Test func `R15 a password is for the one host that it was given for`() throws {
        try attack("R15") { scene in
            let evil = try EvilRegistry()
            evil.lie { request in
                request.headers["authorization"] == nil
                    ? [.answer(401, ["WWW-Authenticate": "Basic realm=\"x\""])] : nil
            }
            let port = evil.host.split(separator: ":")[1]
            try scene.logIn(
                to: [
                    "localhost:\(port)", "127.0.0.1", "127.0.0.1:\(port)0", "x127.0.0.1:\(port)",
                    "\(evil.host)/other", "\(evil.host)/a/bb", "127.0.0.1.:\(port)",
                ], user: "user:secret")
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(evil.credentials.isEmpty, "\(evil.credentials)")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
        }
    }

    @Test func `R17 Q06 a registry's words are short and drive no terminal`() throws {
        try attack("R17") { scene in
            let evil = try EvilRegistry()
            let message =
                "\\u001b]52;c;eHg=\\u0007\\r#9 done\\nerror: fake\\u009b2J"
                + String(repeating: "long ", count: 500)
            evil.lie { request in
                guard request.target.contains("/manifests/") else { return nil }
                let body = #"{"errors":[{"code":"DENIED","message":"\#(message)"}]}"#
                return [
                    .answer(
                        403, ["Warning": "299 - \"\u{1b}]0;title\u{7}\""], body: body.utf8)
                ]
            }
            let outcome = try scene.pull("\(evil.host)/a/b:1")
            #expect(Self.network.contains(outcome.status ?? -1), "\(outcome)")
            #expect(outcome.error.utf8.count < 1500, "\(outcome.error.utf8.count)")
            #expect(!outcome.error.split(separator: "\n").contains { $0.hasPrefix("error: fake") })
            #expect(!outcome.error.utf8.contains(0x9b) || !outcome.error.contains("\u{9b}"))
            let endless = try EvilRegistry()
            endless.lie { request in
                guard request.target.contains("/manifests/") else { return nil }
                let head = Array("HTTP/1.1 500 No\r\nConnection: close\r\n\r\n".utf8)
                return [.send(head)]
                    + [Step](repeating: .send([UInt8](repeating: 0x61, count: 1 << 16)), count: 256)
                    + [.close]
            }
            let second = try scene.pull("\(endless.host)/a/b:1")
            #expect(Self.network.contains(second.status ?? -1), "\(second)")
            #expect(second.error.utf8.count < 1500)
        }
    }

    @Test func `R20 I09 the image's proxies and certificates are not the builder's`() throws {
        try attack("I09") { scene in
            let trap = try EvilRegistry()
            var image = RawImage { $0.file("x") }
            let proxy = "http://\(trap.host)"
            image.run = """
                "Env":["HTTPS_PROXY=\(proxy)","HTTP_PROXY=\(proxy)","http_proxy=\(proxy)","ALL_PROXY=\(proxy)",\
                "SSL_CERT_FILE=/evil","LD_PRELOAD=/evil.so","LD_LIBRARY_PATH=/evil","HOME=/evil","TMPDIR=/evil",\
                "DOCKER_CONFIG=/evil","PATH=/evil"]
                """
            let evil = try EvilRegistry(image), target = try EvilRegistry()
            target.lie { $0.method == "HEAD" ? [.answer(404)] : nil }
            try scene.build(
                "FROM \(evil.host)/a/b:1\nENV http_proxy=\(proxy)\nWORKDIR /w\n", [:],
                ["-t", "\(target.host)/a/b:1", "--push"]
            ).required()
            #expect(trap.requests.isEmpty)
            #expect(target.requests.contains { $0.method == "PUT" })
        }
    }
}
