import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: files of the network` {
    private func add(_ scene: Scene, _ arguments: String) throws -> Command.Outcome {
        try scene.build("FROM scratch\nADD \(arguments)\n")
    }

    @Test(arguments: [
        "file://FILE", "FILE", "ftp://127.0.0.1:1/x", "gopher://127.0.0.1:1/", "unix:/run/x",
        "data:,x", "//", "http://",
        "http://[::", "/loop",
    ])
    func `A06 a redirect leads to http or nowhere`(place: String) throws {
        try attack("A06") { scene in
            let secret = scene.canary.path + "/secret.txt"
            let location = place.replacing("FILE", with: secret)
            let server = try ScriptedServer { request in
                if request.target == secret { return [.answer(404)] }
                return [.answer(302, ["Location": location])]
            }
            let outcome = try add(scene, "http://\(server.host)/x /x")
            scene.expectRefusal(outcome, status: [65, 69], ["Dockerfile:2"])
            #expect(server.requests.count < 20)
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test func `A06 no credential goes with a file's request`() throws {
        try attack("A06-credential") { scene in
            let server = try ScriptedServer { request in
                request.headers["authorization"] == nil
                    ? [.answer(401, ["WWW-Authenticate": "Basic realm=\"x\""])] : [.answer(200)]
            }
            let auth = Data("me:password".utf8).base64EncodedString()
            let config = scene.path("docker")
            try FileManager.default.createDirectory(
                atPath: config, withIntermediateDirectories: true)
            try Data("{\"auths\":{\"\(server.host)\":{\"auth\":\"\(auth)\"}}}".utf8).write(
                to: URL(filePath: config + "/config.json"))
            let outcome = try scene.build(
                "FROM scratch\nADD http://\(server.host)/x /x\n", [:], [],
                ["DOCKER_CONFIG": config])
            scene.expectRefusal(outcome, status: [69], ["Dockerfile:2", "401"])
            #expect(server.requests.allSatisfy { $0.headers["authorization"] == nil })
        }
    }

    @Test(arguments: [
        "sha256:" + String(repeating: "0", count: 64),
        "sha512:" + String(repeating: "0", count: 128),
        "sha256:" + String(repeating: "0", count: 63),
        "SHA256:" + String(repeating: "0", count: 64), "md5:00", "x",
    ])
    func `A07 a file with another checksum is refused, and was asked for once`(checksum: String)
        throws
    {
        try attack("A07") { scene in
            let server = try ScriptedServer { _ in [.answer(200, body: "content-of-a07".utf8)] }
            let outcome = try add(scene, "--checksum=\(checksum) http://\(server.host)/x /x")
            scene.expectRefusal(outcome, status: [65, 69], ["Dockerfile:2"])
            #expect(server.requests.count <= 1)
        }
    }

    /// The second answer is another one: it must not be what is copied under the first one's checksum.
    @Test func `A07 what was checked is what is copied`() throws {
        try attack("A07-twice") { scene in
            let server = try ScriptedServer { request in
                [.answer(200, body: (request.target == "/right" ? "right" : "wrong").utf8)]
            }
            // Of "right".
            let checksum = try RawImage.digests(of: [Array("right".utf8)])[0]
            let moved = try ScriptedServer { _ in
                [.answer(307, ["Location": "http://\(server.host)/right"])]
            }
            for host in [moved.host + "/x", server.host + "/right"] {
                let image = try scene.files(
                    "FROM scratch\nADD --checksum=\(checksum) http://\(host) /x\n")
                #expect(image.layers[0].entry("x")?.content == "right")
            }
            let wrong = try add(scene, "--checksum=\(checksum) http://\(server.host)/wrong /x")
            #expect(wrong.status == 65 || wrong.status == 69, "\(wrong)")
            #expect(server.requests.count == 3)
        }
    }

    @Test func `A06 a body that has no end or lies about its length is refused`() throws {
        try attack("A06-size") { scene in
            let heads = [
                "Content-Length: 99999999999999", "Content-Length: 10", "Content-Length: -1",
                "Content-Length: 5\r\nContent-Length: 6",
            ]
            for head in heads {
                let server = try ScriptedServer { _ in
                    [.send(Array("HTTP/1.1 200 OK\r\n\(head)\r\n\r\nhello".utf8)), .close]
                }
                let outcome = try add(scene, "http://\(server.host)/x /x")
                scene.expectRefusal(outcome, status: [69], ["Dockerfile:2"])
                #expect(outcome.duration < .seconds(100), "\(outcome)")
            }
        }
    }
}
