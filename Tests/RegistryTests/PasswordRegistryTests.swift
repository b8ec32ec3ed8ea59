import Credentials
import HTTP
import OCI
import Registry
import TestSupport
import Testing

/// A home with credentials and certificates, as a user has them.
final class TestHome: Sendable {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    var places: CredentialPlaces { CredentialPlaces(environment: [:], home: directory.path) }

    func write(_ name: String, _ text: String) throws {
        let parents = name.split(separator: "/").dropLast().joined(separator: "/")
        _ = try Program.output(["/bin/mkdir", "-p", directory.path(parents)])
        try directory.write(name, text.utf8)
    }

    /// Docker's file with one password.
    func logIn(_ registry: String, _ user: String, _ password: String) throws {
        try write(
            ".docker/config.json",
            #"{"auths":{"\#(registry)":{"username":"\#(user)","password":"\#(password)"}}}"#)
    }

    func trust(_ certificate: String, for registry: String) throws {
        let text = try Program.output(["/bin/cat", certificate])
        try write(".docker/certs.d/\(registry)/ca.crt", text)
    }

    func client(
        _ registry: String, _ options: RegistryOptions = .impatient, _ traffic: Traffic? = nil
    ) throws -> RegistryClient {
        var options = options
        options.certificates = CertificateDirectories(places)
        let http = HTTPClient()
        return try RegistryClient(
            registry, http: http,
            authorizer: RegistryAuthorizer(
                http: http, credentials: CredentialStore(places), options: options),
            options: options, observer: traffic)
    }
}

extension RegistryError {
    /// Everything that a user or a log could see of it.
    var everything: String {
        var dumped = ""
        dump(self, to: &dumped)
        return [description, hint ?? "", String(reflecting: self), dumped].joined(separator: "\n")
    }
}

@Suite(
    .enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
struct `A registry with passwords and an authority of its own` {
    let authority: CertificateAuthority
    let registry: LocalRegistry
    let files: TemporaryDirectory
    let home: TestHome

    static let password = "pässword-7d1c0a9be1f3"

    init() throws {
        authority = try CertificateAuthority()
        (registry, files) = try LocalRegistry.withPasswords(
            ["me": Self.password], authority.issue("server"))
        home = try TestHome()
        try home.trust(authority.certificate, for: registry.host)
    }

    @Test func `lets a user push and pull, and asks once`() async throws {
        try home.logIn(registry.host, "me", Self.password)
        let traffic = Traffic()
        let client = try home.client(registry.host, .impatient, traffic)
        let blob = try TestBlob(TestBlob.noise(5000))
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "a/b")
        let collector = Collector()
        try await client.pullBlob(blob.descriptor, from: "a/b") { collector.take($0) }
        #expect(collector.bytes == blob.bytes)
        // The first HEAD is answered with 401; from then on the header goes along, and no body goes twice.
        #expect(traffic.totals.requests == ["HEAD", "HEAD", "POST", "PUT", "GET"])
        #expect(traffic.totals.sent == 5000)
    }

    @Test func `refuses a wrong password, whose place is named and whose text is not`() async throws
    {
        try home.logIn(registry.host, "me", "wrong-5f0c9d")
        let client = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.isUnauthorized == true)
        #expect(
            error?.description
                == "look for the manifest \(registry.host)/a:x: not authorized with the credentials of ~/.docker/config.json"
        )
        #expect(error?.hint?.contains("lichen login \(registry.host)") == true)
        #expect(error?.everything.contains("wrong-5f0c9d") == false)
    }

    @Test func `asks a stranger to log in`() async throws {
        let client = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await client.manifest(.tag("x"), in: "a")
        }
        #expect(error?.isUnauthorized == true)
        #expect(error?.hint?.contains("lichen login \(registry.host)") == true)
    }

    @Test func `with an expired certificate is not spoken to`() async throws {
        let (server, _) = try LocalRegistry.withPasswords(
            ["me": Self.password], authority.issue("expired", days: -1))
        try home.trust(authority.certificate, for: server.host)
        try home.logIn(server.host, "me", Self.password)
        let client = try home.client(server.host)
        let error = await failure { () throws(RegistryError) in
            try await client.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.description.contains("expired") == true)
        #expect(error?.description.contains(server.host) == true)
        #expect(error?.everything.contains(Self.password) == false)
        #expect(!server.log.contains("/v2/a"))
    }

    @Test func `named as insecure needs no trusted certificate`() async throws {
        let home = try TestHome()
        try home.logIn(registry.host, "me", Self.password)
        var options = RegistryOptions.impatient
        options.tls[registry.host] = TLSOptions()
        let strict = try home.client(registry.host, options)
        let error = await failure { () throws(RegistryError) in
            try await strict.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.hint?.contains("certs.d/\(registry.host)/ca.crt") == true)
        options.insecure = [registry.host]
        let lenient = try home.client(registry.host, options)
        #expect(try await lenient.findManifest(.tag("x"), in: "a") == nil)
    }

    @Test func `named as insecure may speak plain HTTP`() async throws {
        let plain = try LocalRegistry()
        var options = RegistryOptions.impatient
        options.insecure = [plain.host]
        let client = try home.client(plain.host, options)
        let blob = try TestBlob(TestBlob.noise(5000))
        #expect(try await client.pushBlob(blob.descriptor, from: blob.file, to: "a") == .uploaded)
        #expect(try await client.findBlob(blob.descriptor.digest, in: "a") == 5000)
    }

    @Test func `answers a login`() async throws {
        var options = RegistryOptions.impatient
        options.certificates = CertificateDirectories(home.places)
        func logIn(_ password: String) async throws(RegistryError) -> RegistryClient.LoginAnswer {
            try await RegistryClient.logIn(
                to: registry.host,
                with: Credential(.password(user: "me", Secret(password)), source: "given"),
                http: HTTPClient(), options: options)
        }
        #expect(try await logIn(Self.password) == .accepted)
        let error = await failure { () throws(RegistryError) in try await logIn("wrong-5f0c9d") }
        #expect(error?.isUnauthorized == true)
        #expect(error?.description.hasPrefix("log in to \(registry.host): not authorized") == true)
        #expect(error?.everything.contains("wrong-5f0c9d") == false)
    }

    @Test func `finds what a login has kept`() async throws {
        let store = CredentialStore(home.places)
        let credential = Credential(
            .password(user: "me", Secret(Self.password)), source: "given")
        #expect(try await store.keep(credential, for: registry.host) == "~/.docker/config.json")
        #expect(try await home.client(registry.host).findManifest(.tag("x"), in: "a") == nil)
        #expect(try await store.forget(registry.host))
        #expect(try await !store.forget(registry.host))
    }
}

@Suite(
    .enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
struct `A registry that wants a certificate of its clients` {
    @Test func `gets the one of certs.d`() async throws {
        let authority = try CertificateAuthority()
        let server = try authority.issue("server")
        let registry = try LocalRegistry(
            http: """
                  tls:
                    certificate: \(server.certificate)
                    key: \(server.key)
                    clientcas:
                      - \(authority.certificate)
                """)
        let home = try TestHome()
        try home.trust(authority.certificate, for: registry.host)
        let stranger = try home.client(registry.host)
        let error = await failure { () throws(RegistryError) in
            try await stranger.findManifest(.tag("x"), in: "a")
        }
        #expect(error != nil)
        let client = try authority.issue("client")
        let directory = ".docker/certs.d/\(registry.host)/"
        try home.write(directory + "me.cert", Program.output(["/bin/cat", client.certificate]))
        let halfway = try? home.client(registry.host)
        #expect(halfway == nil)
        try home.write(directory + "me.key", Program.output(["/bin/cat", client.key]))
        // A second authority, which has nothing to do with it.
        let another = try CertificateAuthority(name: "another")
        try home.write(
            directory + "another.crt",
            Program.output(["/bin/cat", another.certificate]))
        #expect(try await home.client(registry.host).findManifest(.tag("x"), in: "a") == nil)
    }
}
