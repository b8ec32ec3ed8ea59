import Credentials
import HTTP
import Linux
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite struct `A token service` {
    private static let password = "password-4b6f1d22"

    private func client(_ server: ScriptedServer) throws -> RegistryClient {
        let http = HTTPClient()
        let credential = Credential(
            .password(user: "me", Secret(Self.password)), source: "the test")
        return try RegistryClient(
            server.host, http: http,
            authorizer: RegistryAuthorizer(
                http: http, credentials: FixedCredential(credential, registry: server.host),
                options: .impatient), options: .impatient)
    }

    private func ask(_ server: ScriptedServer) async throws -> RegistryError? {
        let client = try client(server)
        return await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
    }

    private func registry(_ challenge: String) throws -> ScriptedServer {
        try ScriptedServer { request in
            request.headers["authorization"] == nil
                ? [.answer(401, ["WWW-Authenticate": challenge])] : [.answer(404)]
        }
    }

    @Test func `that is not there is an error that names it`() async throws {
        let server = try registry(#"Bearer realm="http://127.0.0.1:1/token",service="s""#)
        let error = try await ask(server)
        #expect(
            error?.description
                == "look for the manifest \(server.host)/a:x: no authorization: the token service 127.0.0.1:1: GET http://127.0.0.1:1/token?…: connection refused"
        )
        #expect(error?.hint?.contains("the service that gives its tokens") == true)
        #expect(error?.everything.contains(Self.password) == false)
    }

    @Test func `that redirects is not followed with credentials`() async throws {
        let thief = try ScriptedServer { _ in [.answer(200, body: #"{"token":"t"}"#.utf8)] }
        let service = try ScriptedServer { _ in
            [.answer(307, ["Location": "http://\(thief.host)/"])]
        }
        let error = try await ask(try registry(#"Bearer realm="http://\#(service.host)/""#))
        #expect(error?.description.contains("status 307") == true)
        #expect(thief.requests.isEmpty)
    }

    @Test func `that floods is left`() async throws {
        let service = try ScriptedServer { _ in
            [.answer(200, body: [UInt8](repeating: 32, count: 2 << 20))]
        }
        let error = try await ask(try registry(#"Bearer realm="http://\#(service.host)/""#))
        #expect(error?.description.contains("larger than") == true)
    }

    @Test func `that repeats a secret in its answer is not cited`() async throws {
        let body = #"{"errors":[{"code":"X","message":"no \#(Self.password) here"}]}"#
        let service = try ScriptedServer { _ in [.answer(401, body: body.utf8)] }
        let error = try await ask(try registry(#"Bearer realm="http://\#(service.host)/""#))
        #expect(error?.description.contains("(X: no … here)") == true)
        #expect(error?.everything.contains(Self.password) == false)
    }

    @Test func `gets the scopes that the registry wants beside ours`() async throws {
        let service = try ScriptedServer { _ in
            [.answer(200, body: #"{"access_token":"t","expires_in":"x"}"#.utf8)]
        }
        _ = try await ask(
            try registry(
                #"Bearer realm="http://\#(service.host)/t?x=1",scope="aws repository:a:pull",service="s t""#
            ))
        #expect(
            service.requests.map(\.target) == [
                "/t?x=1&service=s%20t&scope=repository%3Aa%3Apull&scope=aws&account=me"
            ])
    }

    @Test func `whose tokens are refused is asked twice, not for ever`() async throws {
        let service = try ScriptedServer { [count = Mutex(0)] _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return [.answer(200, body: #"{"token":"t\#(number)"}"#.utf8)]
        }
        let server = try ScriptedServer { _ in
            [.answer(401, ["WWW-Authenticate": #"Bearer realm="http://\#(service.host)/""#])]
        }
        #expect(try await ask(server)?.isUnauthorized == true)
        #expect(server.requests.count == 3)
        #expect(service.requests.count == 2)
    }

    @Test func `of one registry learns nothing of another's credentials`() async throws {
        let service = try ScriptedServer { _ in [.answer(200, body: #"{"token":"t"}"#.utf8)] }
        let server = try registry(#"Bearer realm="http://\#(service.host)/""#)
        let http = HTTPClient()
        let credential = Credential(
            .password(user: "me", Secret(Self.password)), source: "the test")
        let client = try RegistryClient(
            server.host, http: http,
            authorizer: RegistryAuthorizer(
                http: http, credentials: FixedCredential(credential, registry: "r.example")))
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
        #expect(service.requests.map { $0.headers["authorization"] } == [nil])
    }

    @Test func `is not needed where the registry's own token is known`() async throws {
        let server = try registry(#"Bearer realm="http://127.0.0.1:1/""#)
        let http = HTTPClient()
        let client = try RegistryClient(
            server.host, http: http,
            authorizer: RegistryAuthorizer(
                http: http,
                credentials: FixedCredential(
                    Credential(.registryToken(Secret("tok")), source: ""), registry: server.host)))
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)
        #expect(server.requests.last?.headers["authorization"] == "Bearer tok")
    }

    @Test(arguments: [("a\r\nX: y", "p"), ("a:b", "p"), ("a", "p\u{0}")])
    func `and a registry get no header that is two`(user: String, password: String) async throws {
        let server = try registry("Basic realm=x")
        let http = HTTPClient()
        let client = try RegistryClient(
            server.host, http: http,
            authorizer: RegistryAuthorizer(
                http: http,
                credentials: FixedCredential(
                    Credential(.password(user: user, Secret(password)), source: "the test"),
                    registry: server.host)))
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.description.contains("the credentials of the test cannot be sent") == true)
        #expect(server.requests.count == 1)
    }

    @Test func `is not there for what we do not speak`() async throws {
        let error = try await ask(try registry("Negotiate, NTLM"))
        #expect(
            error?.description.contains("authentication by negotiate, ntlm is not supported")
                == true)
    }
}

@Suite struct `A realm` {
    private static func origin(_ name: String) -> RegistryOrigin {
        var tls = TLSOptions()
        tls.verifies = !name.hasSuffix("!")
        return RegistryOrigin(url: HTTPURL(name.replacing("!", with: "") + "/v2/")!, tls: tls)
    }

    @Test(arguments: [
        ("https://registry-1.docker.io", "https://auth.docker.io/token"),
        ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
        ("https://r.example", "https://r.example/token"),
        ("https://r.example", "https://r.example:8443/token"),
        ("https://10.0.0.1:5000", "https://10.0.0.1:5001/token"),
        ("https://127.0.0.1:5000", "https://127.0.0.1/token"),
        ("https://r.example!", "https://r.example/token"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ("http://r.example", "http://r.example:81/token"),
        ("http://r.example", "https://r.example/token"),
    ])
    func `may be named`(registry: String, realm: String) throws {
        #expect(try TokenRealm.url(realm, namedBy: Self.origin(registry)).description == realm)
    }

    @Test(arguments: [
        // No TLS.
        ("https://r.example", "http://r.example/token"),
        ("https://r.example", "http://auth.example/token"),
        ("https://127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ("http://r.example", "http://auth.example/token"),
        // A registry that may be anybody.
        ("http://r.example", "https://auth.example/token"),
        ("http://127.0.0.1:5000", "https://auth.docker.io/token"),
        ("http://127.0.0.1:5000", "http://localhost:5001/token"),
        ("https://r.example!", "https://auth.example/token"),
        ("https://r.example!", "http://r.example/token"),
        // What only we can reach.
        ("https://r.example", "https://127.0.0.1/token"),
        ("https://r.example", "https://localhost/"),
        ("https://r.example", "https://x.localhost/"), ("https://r.example", "https://[::1]/"),
        ("https://r.example", "https://169.254.169.254/latest/meta-data"),
        ("https://r.example", "https://10.0.0.1/"), ("https://r.example", "https://2130706433/"),
        ("https://r.example", "https://0x7f.1/"), ("https://r.example", "https://[fe80::1]/"),
        // No plain URL.
        ("https://r.example", "https://me:pw@r.example/"),
        ("https://r.example", "https://me@r.example/"),
        ("https://r.example", "https://r.example/#x"),
        ("https://r.example", "https://r.example/\r\nX:y"),
        ("https://r.example", "https://r.example/\u{0}"),
        ("https://r.example", "https://r.exämple/"),
        ("https://r.example", "https://r.example /"), ("https://r.example", "file:///etc/passwd"),
        ("https://r.example", "ftp://r.example/"), ("https://r.example", "/token"),
        ("https://r.example", "token"), ("https://r.example", ""),
        ("https://r.example", "https://"),
        ("https://r.example", "//r.example/token"), ("https://r.example", "javascript:alert(1)"),
        ("https://r.example", "https://r.example/" + String(repeating: "a", count: 3000)),
    ])
    func `is refused`(registry: String, realm: String) {
        #expect(throws: TokenRealm.Refusal.self) {
            try TokenRealm.url(realm, namedBy: Self.origin(registry))
        }
    }

    @Test func `that is refused is not asked, and is named without its secrets`() async throws {
        let server = try ScriptedServer { _ in
            [
                .answer(
                    401,
                    ["WWW-Authenticate": #"Bearer realm="https://u:hunter2@x.example/t?k=hunter2""#]
                )
            ]
        }
        let http = HTTPClient()
        let client = try RegistryClient(
            server.host, http: http,
            authorizer: RegistryAuthorizer(
                http: http, credentials: FixedCredential(nil, registry: "")))
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(
            error?.description.contains("tokens from @x.example/t are not asked for") == true,
            "\(error as Any)")
        #expect(error?.description.contains("hunter2") == false)
    }
}

@Suite struct `A challenge's reader` {
    @Test func `takes whatever comes`() async throws {
        // On a thread of its own, so that other tests go on meanwhile.
        let (count, complaints) = try await blocking { Self.fuzz(for: .seconds(2), least: 200) }
        #expect(complaints.isEmpty)
        #expect(count > 100)
    }

    private static let seeds = [
        #"Bearer realm="https://auth.example/token",service="s",scope="repository:a/b:pull,push""#,
        #"Basic realm="a\"b", Digest qop="auth,auth-int", nonce=abc=, Negotiate YWJj=="#,
    ].map { Array($0.utf8) }

    private static func fuzz(
        for time: Duration, least: Int
    ) -> (count: Int, complaints: [String]) {
        let end = ContinuousClock.now + time
        var random = SplitMix(seed: 1)
        var count = 0
        var complaints: [String] = []
        while ContinuousClock.now < end || count < least {
            let text = String(decoding: mutation(&random), as: UTF8.self)
            if let complaint = complaint(about: text) { complaints.append(complaint + text) }
            count += 1
        }
        return (count, complaints)
    }

    private static func mutation(_ random: inout SplitMix) -> [UInt8] {
        var bytes = seeds.randomElement(using: &random)!
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0: bytes[index] = .random(in: 0...255, using: &random)
            case 1 where bytes.count > 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[..<index], at: index)
            case 3:
                bytes.insert("\"\\,= \t\r\n\0".utf8.randomElement(using: &random)!, at: index)
            default: bytes.replaceSubrange(index..., with: bytes[index...].reversed())
            }
            if bytes.count > 20_000 { bytes.removeLast(bytes.count - 20_000) }
        }
        return bytes
    }

    /// What would be sent is one line of ASCII to a place with TLS, whatever came.
    private static func complaint(about text: String) -> String? {
        let found = Challenge.parse([text])
        if found.contains(where: { $0.scheme.isEmpty || $0.scheme != $0.scheme.lowercased() }) {
            return "a scheme: "
        }
        let access = RegistryAccess(
            registry: "r.example",
            origin: RegistryOrigin(url: HTTPURL("https://r.example/v2/")!, tls: TLSOptions()),
            repository: "a", actions: [.pull])
        guard let demand = TokenDemand(found, of: access) else { return nil }
        let scopes = demand.scopes(for: access)
        let words = scopes + [demand.service ?? ""]
        if scopes.count > TokenDemand.maximumScopes + 1
            || words.contains(where: { !$0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } })
        {
            return "scopes: "
        }
        guard let url = try? TokenRealm.url(demand.realm, namedBy: access.origin) else {
            return nil
        }
        let isPlain = url.description.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        return url.isSecure && isPlain ? nil : "a realm: "
    }
}
