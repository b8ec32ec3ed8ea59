import Credentials
import HTTP
import OCI
import Registry
import Synchronization
import TestSupport
import Testing

@Suite(
    .enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
struct `A registry with tokens` {
    let service: TokenAuthority
    let registry: LocalRegistry
    let home: TestHome

    static let password = "password-c81f7733ab"

    init() throws {
        service = try TokenAuthority()
        service.settings.withLock { $0.passwords = ["me": Self.password] }
        registry = try LocalRegistry.withTokens(of: service)
        home = try TestHome()
        try home.logIn(registry.host, "me", Self.password)
    }

    @Test func `lets a user push, mount and pull`() async throws {
        let client = try home.client(registry.host)
        let blob = try TestBlob(TestBlob.noise(5000))
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "team/a")
        #expect(
            try await client.pushBlob(
                blob.descriptor, from: blob.file, to: "team/b", mountingFrom: "team/a") == .mounted)
        let collector = Collector()
        try await client.pullBlob(blob.descriptor, from: "team/b") { collector.take($0) }
        #expect(collector.bytes == blob.bytes)
        // One token for each kind of access, however many requests it serves.
        #expect(
            service.scopes == [
                ["repository:team/a:pull,push"], ["repository:team/b:pull,push"],
                ["repository:team/b:pull,push", "repository:team/a:pull"],
                ["repository:team/b:pull"],
            ])
    }

    @Test func `gives anybody what is public, and nothing else`() async throws {
        let blob = try TestBlob(TestBlob.noise(100))
        let client = try home.client(registry.host)
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "public/a")
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "private/a")
        let stranger = try TestHome().client(registry.host)
        #expect(try await stranger.findBlob(blob.descriptor.digest, in: "public/a") == 100)
        let error = await failure { () throws(RegistryError) in
            try await stranger.findBlob(blob.descriptor.digest, in: "private/a")
        }
        #expect(error?.isUnauthorized == true)
        #expect(error?.hint?.contains("lichen login") == true)
        #expect(service.requests.last?.headers["authorization"] == nil)
    }

    @Test func `replaces a token before it expires`() async throws {
        service.settings.withLock { ($0.life, $0.expiresIn) = (3600, 3600) }
        let patient = try home.client(registry.host)
        for _ in 0..<2 { #expect(try await patient.findManifest(.tag("x"), in: "a") == nil) }
        #expect(service.requests.count == 1)
        // Two requests can't be sure to come within a second. That one is over, they can.
        service.settings.withLock { $0.expiresIn = 1 }
        let client = try home.client(registry.host)
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
        #expect(service.requests.count == 2)
        try await Task.sleep(for: .seconds(1))
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
        #expect(service.requests.count == 3)
    }

    @Test func `replaces a token that expired earlier than was said`() async throws {
        // The registry grants a minute beyond the end.
        service.settings.withLock { ($0.life, $0.expiresIn) = (-120, 3600) }
        let client = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.isUnauthorized == true)
        service.settings.withLock { $0.life = 300 }
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
    }

    @Test func `takes an identity token to its service by POST`() async throws {
        service.settings.withLock { $0.refreshTokens = ["refresh-55aa"] }
        try home.write(
            ".docker/config.json",
            #"{"auths":{"\#(registry.host)":{"identitytoken":"refresh-55aa"}}}"#)
        let client = try home.client(registry.host)
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
        #expect(service.requests.map(\.method) == ["POST"])
        #expect(service.requests[0].headers["authorization"] == nil)
        service.settings.withLock { $0.refreshTokens = [] }
        let second = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await second.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.everything.contains("refresh-55aa") == false)
        #expect(
            error?.description.contains("credentials of ~/.docker/config.json were refused") == true
        )
    }

    @Test func `refuses a wrong password in one line without it`() async throws {
        try home.logIn(registry.host, "me", "wrong-5f0c9d")
        let client = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(
            error?.description
                == "look for the manifest \(registry.host)/a:x: no authorization: the token service \(service.host): the credentials of ~/.docker/config.json were refused"
        )
        #expect(error?.hint == "log in again: lichen login \(registry.host)")
        #expect(error?.everything.contains("wrong-5f0c9d") == false)
        #expect(service.requests.count == 1)
    }

    @Test func `is asked again where its token service stumbles`() async throws {
        service.settings.withLock {
            $0.faults = [
                [.answer(503)], [.close], [.answer(429, ["Retry-After": "0"])],
            ]
        }
        let client = try home.client(registry.host)
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
        #expect(service.requests.count == 4)
    }

    @Test(arguments: [
        ("", "no usable token"), ("{}", "no usable token"), ("secret", "no usable token"),
        (#"{"token":""}"#, "no usable token"), (#"{"token":"a\r\nX: y"}"#, "no usable token"),
        (#"{"token":"a b"}"#, "no usable token"), (#"{"token":"é"}"#, "no usable token"),
        (#"{"token":7}"#, "no usable token"),
    ])
    func `is not believed any token`(body: String, expected: String) async throws {
        service.settings.withLock { $0.faults = [[.answer(200, body: body.utf8)]] }
        let client = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.description.contains(expected) == true, "\(error as Any)")
        #expect(error?.everything.contains("secret") == false)
    }

    @Test func `asks its service once for many at the same time`() async throws {
        let client = try home.client(registry.host)
        _ = try await client.findManifest(.tag("x"), in: "a")
        service.settings.withLock { $0.faults = [[.wait(.milliseconds(200)), .answer(503)]] }
        let digest = Digest(sha256: Array(repeating: 7, count: 32))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    _ = try await client.mountBlob(digest, from: "b", into: "a")
                }
            }
            try await group.waitForAll()
        }
        #expect(service.scopes.count == 4, "\(service.scopes)")
    }

    @Test func `answers a login`() async throws {
        func logIn(_ password: String) async throws(RegistryError) -> RegistryClient.LoginAnswer {
            try await RegistryClient.logIn(
                to: registry.host,
                with: Credential(.password(user: "me", Secret(password)), source: "given"),
                http: HTTPClient(), options: .impatient)
        }
        #expect(try await logIn(Self.password) == .accepted)
        let error = await failure { () throws(RegistryError) in try await logIn("wrong-5f0c9d") }
        #expect(error?.description.contains(service.host) == true)
        #expect(error?.everything.contains("wrong-5f0c9d") == false)
        let plain = try LocalRegistry()
        #expect(
            try await RegistryClient.logIn(
                to: plain.host, with: Credential(.registryToken(Secret("x")), source: ""),
                http: HTTPClient()) == .notAsked)
    }
}
