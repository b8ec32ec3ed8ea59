import HTTP
import OCI
import Registry
import TestSupport
import Testing

@Suite struct `A registry with TLS` {
    let directory: TemporaryDirectory
    let certificate: String
    let key: String

    init() throws {
        directory = try TemporaryDirectory()
        certificate = directory.path("cert.pem")
        key = directory.path("key.pem")
        _ = try Program.output([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ])
    }

    @Test(.enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
    func `is trusted by its own authority, and by that alone`() async throws {
        let server = try LocalRegistry(
            http: "  tls:\n    certificate: \(certificate)\n    key: \(key)")
        var options = RegistryOptions()
        options.tls[server.host] = TLSOptions(authorities: certificate)
        let client = try RegistryClient(server.host, http: HTTPClient(), options: options)
        #expect(try await client.findManifest(.tag("x"), in: "a") == nil)

        options.tls[server.host] = TLSOptions()
        let stranger = try RegistryClient(server.host, http: HTTPClient(), options: options)
        let error = await failure { () throws(RegistryError) in
            try await stranger.findManifest(.tag("x"), in: "a")
        }
        guard case .transfer(let transfer)? = error?.problem,
            case .untrustedCertificate = transfer.problem
        else { throw TestSupportError("\(error as Any)") }
    }

    @Test func `is not followed out of TLS`() async throws {
        let plain = try ScriptedServer { _ in [.answer(200, body: "x".utf8)] }
        try directory.write(
            "answer", "HTTP/1.0 302 Found\r\nLocation: http://\(plain.host)/b\r\n\r\n".utf8)
        // OpenSSL's own little server gives each file as a complete answer.
        let script = """
            cd '\(directory.path)' && mkdir -p v2/a/manifests && cp answer v2/a/manifests/x &&
            exec /usr/bin/openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -HTTP
            """
        let server = try RunningProgram(["/bin/sh", "-c", script])
        let port = try server.number(after: "ACCEPT 127.0.0.1:")
        var options = RegistryOptions.impatient
        options.tls["127.0.0.1:\(port)"] = TLSOptions(authorities: certificate)
        let client = try RegistryClient(
            "127.0.0.1:\(port)", http: HTTPClient(), options: options)
        let error = await failure { () throws(RegistryError) in
            try await client.manifest(.tag("x"), in: "a")
        }
        guard case .redirect? = error?.problem else { throw TestSupportError("\(error as Any)") }
        #expect(plain.requests.isEmpty)
    }

    @Test(.enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
    func `must be named to be asked in plain HTTP`() async throws {
        let plain = try LocalRegistry()
        var options = RegistryOptions.impatient
        options.tls[plain.host] = TLSOptions()
        let strict = try RegistryClient(plain.host, http: HTTPClient(), options: options)
        let error = await failure { () throws(RegistryError) in
            try await strict.findManifest(.tag("x"), in: "a")
        }
        #expect(error?.hint?.contains("--insecure-registry \(plain.host)") == true)
        options.plainHTTP = [plain.host]
        let lenient = try RegistryClient(plain.host, http: HTTPClient(), options: options)
        #expect(try await lenient.findManifest(.tag("x"), in: "a") == nil)
    }
}
