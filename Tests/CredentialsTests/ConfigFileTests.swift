import TestSupport
import Testing

@testable import Credentials

@Suite struct `A file of credentials` {
    private static let me = #""auth":"bWU6c2VjcmV0""#  // me:secret
    private static let you = #""auth":"eW91OnNlY3JldA==""#  // you:secret

    private func answer(
        _ json: String, _ registry: String, _ repository: String = "team/app"
    ) throws -> ConfigFile.Answer? {
        try ConfigFile(Array(json.utf8), place: "file")
            .answer(for: RegistryKeys(registry: registry, repository: repository))
    }

    /// Who is found: a user, `helper NAME`, or nobody.
    private func who(
        _ json: String, _ registry: String, _ repository: String = "team/app"
    ) throws -> String {
        switch try answer(json, registry, repository) {
        case nil: return "nobody"
        case .helper(let name, let fallback):
            return "helper \(name)" + (fallback == nil ? "" : " or entry")
        case .credential(let credential):
            if case .password(let user, let secret) = credential.kind {
                #expect(secret.reveal() == "secret")
                return user
            }
            return "token"
        }
    }

    @Test(arguments: [
        // Names of the same registry.
        (#"{"auths":{"r.example":{ME}}}"#, "r.example", "me"),
        (#"{"auths":{"https://r.example":{ME}}}"#, "r.example", "me"),
        (#"{"auths":{"https://r.example/v1/":{ME}}}"#, "r.example", "me"),
        (#"{"auths":{"http://r.example/v2":{ME}}}"#, "r.example", "me"),
        (#"{"auths":{"R.Example":{ME}}}"#, "r.example", "me"),
        (#"{"auths":{"r.example":{ME}}}"#, "R.EXAMPLE", "me"),
        (#"{"auths":{"r.example:5000":{ME}}}"#, "r.example:5000", "me"),
        (#"{"auths":{"[::1]:5000":{ME}}}"#, "[::1]:5000", "me"),
        // Docker's own registry.
        (#"{"auths":{"https://index.docker.io/v1/":{ME}}}"#, "docker.io", "me"),
        (#"{"auths":{"docker.io":{ME}}}"#, "docker.io", "me"),
        (#"{"auths":{"index.docker.io":{ME}}}"#, "docker.io", "me"),
        (#"{"auths":{"registry-1.docker.io":{ME}}}"#, "docker.io", "me"),
        (#"{"auths":{"docker.io/team":{YOU},"docker.io":{ME}}}"#, "docker.io", "you"),
        // Near misses.
        (#"{"auths":{"r.example":{ME}}}"#, "r.example.evil", "nobody"),
        (#"{"auths":{"r.example":{ME}}}"#, "evil-r.example", "nobody"),
        (#"{"auths":{"r.example":{ME}}}"#, "r.example:444", "nobody"),
        (#"{"auths":{"r.example:444":{ME}}}"#, "r.example", "nobody"),
        (#"{"auths":{"r.example":{ME}}}"#, "r.example.", "nobody"),
        (#"{"auths":{"example":{ME}}}"#, "r.example", "nobody"),
        (#"{"auths":{"*.example":{ME}}}"#, "r.example", "nobody"),
        (#"{"auths":{"docker.io":{ME}}}"#, "docker.io.evil", "nobody"),
        (#"{"auths":{"https://r.example@evil.example":{ME}}}"#, "r.example", "nobody"),
        // Paths, by whole parts.
        (#"{"auths":{"r.example/team/app":{YOU},"r.example":{ME}}}"#, "r.example", "you"),
        (#"{"auths":{"r.example":{ME},"r.example/team":{YOU}}}"#, "r.example", "you"),
        (#"{"auths":{"https://r.example/team/":{YOU},"r.example":{ME}}}"#, "r.example", "you"),
        (#"{"auths":{"r.example/te":{YOU}}}"#, "r.example", "nobody"),
        (#"{"auths":{"r.example/team/app/x":{YOU}}}"#, "r.example", "nobody"),
        (#"{"auths":{"r.example/app":{YOU}}}"#, "r.example", "nobody"),
        // What an entry can be.
        (#"{"auths":{"r.example":{"username":"me","password":"secret"}}}"#, "r.example", "me"),
        (#"{"auths":{"r.example":{"username":"x","password":"y",ME}}}"#, "r.example", "me"),
        (#"{"auths":{"r.example":{"auth":"bWU6c2VjcmV0AA=="}}}"#, "r.example", "me"),
        (#"{"auths":{"r.example":{"identitytoken":"t",ME}}}"#, "r.example", "token"),
        (#"{"auths":{"r.example":{"registrytoken":"t"}}}"#, "r.example", "token"),
        (#"{"auths":{"r.example":{}}}"#, "r.example", "nobody"),
        (#"{"auths":{"r.example":null}}"#, "r.example", "nobody"),
        (#"{"auths":{"r.example":{"auth":"","email":"x"}}}"#, "r.example", "nobody"),
        (#"{"auths":{"r.example":{},"https://r.example":{ME}}}"#, "r.example", "me"),
        ("{}", "r.example", "nobody"),
        ("", "r.example", "nobody"),
        (#"{"auths":null,"credHelpers":null,"credsStore":null}"#, "r.example", "nobody"),
        // Helpers.
        (#"{"credsStore":"pass"}"#, "r.example", "helper pass"),
        (#"{"credsStore":"pass","auths":{"r.example":{}}}"#, "r.example", "helper pass"),
        (#"{"credsStore":"pass","auths":{"r.example":{ME}}}"#, "r.example", "me"),
        (#"{"credsStore":"a","credHelpers":{"r.example":"b"}}"#, "r.example", "helper b"),
        (#"{"credHelpers":{"r.example":"b"}}"#, "other.example", "nobody"),
        (#"{"credHelpers":{"docker.io":"b"}}"#, "docker.io", "helper b"),
        (#"{"credHelpers":{"https://index.docker.io/v1/":"b"}}"#, "docker.io", "helper b"),
        (
            #"{"credHelpers":{"r.example":"b"},"auths":{"r.example":{ME}}}"#, "r.example",
            "helper b or entry"
        ),
        (#"{"credHelpers":{"r.example":"b"},"auths":{"r.example/team":{ME}}}"#, "r.example", "me"),
    ])
    func `knows whom it is for`(json: String, registry: String, expected: String) throws {
        let json = json.replacing("ME", with: Self.me).replacing("YOU", with: Self.you)
        #expect(try who(json, registry) == expected)
    }

    @Test(arguments: [
        ("{", "file is not JSON (at byte 1)"),
        (#"{"auths":{"r.example":{"auth":"c2VjcmV0"}},}"#, "file is not JSON (at byte 43)"),
        ("[]", "file: the document is not what it should be"),
        (#"{"auths":[]}"#, "file: auths is not what it should be"),
        (
            #"{"auths":{"r.example":"bWU6c2VjcmV0"}}"#,
            "file: auths → r.example is not what it should be"
        ),
        (
            #"{"auths":{"r.example":{"auth":"bWU"}}}"#,
            "file: auths → r.example → auth is not what it should be"
        ),
        (
            #"{"auths":{"r.example":{"auth":"!secret!"}}}"#,
            "file: auths → r.example → auth is not what it should be"
        ),
        (
            #"{"auths":{"r.example":{"identitytoken":7}}}"#,
            "file: auths → r.example → identitytoken is not what it should be"
        ),
        (
            #"{"credHelpers":{"r.example":{}}}"#,
            "file: credHelpers → r.example is not what it should be"
        ),
    ])
    func `is refused where it is wrong, without its content`(json: String, expected: String) {
        let error = #expect(throws: CredentialError.self) { try answer(json, "r.example") }
        #expect(error?.description == expected)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `may be wrong about others`() throws {
        let json = #"{"auths":{"other.example":{"auth":"!"},"r.example":{ME}}}"#
        #expect(try who(json.replacing("ME", with: Self.me), "r.example") == "me")
    }

    @Test func `keeps what it does not know`() throws {
        let json = """
            {"HttpHeaders": {"User-Agent": "x"}, "big": 12345678901234567890.10e+2,
             "auths": {"b.example": {"auth": "x", "email": "e"}, "a.example/team": {"auth": "y"}},
             "text": "\\u00e9\\ud83d\\ude00\\n\\/", "list": [1, [], {}, null, true]}
            """
        var file = try ConfigFile(Array(json.utf8), place: "file")
        let credential = Credential(.password(user: "me", Secret("secret")), source: "")
        try file.set(credential, for: RegistryKeys(registry: "b.example"))
        try file.set(credential, for: RegistryKeys(registry: "docker.io"))
        #expect(
            file.tree.formatted == """
                {
                \t"HttpHeaders": {
                \t\t"User-Agent": "x"
                \t},
                \t"big": 12345678901234567890.10e+2,
                \t"auths": {
                \t\t"a.example/team": {
                \t\t\t"auth": "y"
                \t\t},
                \t\t"b.example": {
                \t\t\t"email": "e",
                \t\t\t"auth": "bWU6c2VjcmV0"
                \t\t},
                \t\t"https://index.docker.io/v1/": {
                \t\t\t"auth": "bWU6c2VjcmV0"
                \t\t}
                \t},
                \t"text": "é😀\\n/",
                \t"list": [
                \t\t1,
                \t\t[],
                \t\t{},
                \t\tnull,
                \t\ttrue
                \t]
                }

                """)
        #expect(try JSONReader.read(Array(file.tree.formatted.utf8)) == file.tree)
        #expect(try file.remove(RegistryKeys(registry: "b.example")))
        #expect(try !file.remove(RegistryKeys(registry: "a.example")))
        #expect(file.tree["auths"]?.members?.count == 2)
    }
}

@Suite struct `A JSON document` {
    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "1.", "-", "1e", "+1",
        ".5",
        "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\\udc00\"",
        "\"\n\"", "tru", "nullx", "[1 2]", "'a'", "1 1", "\u{feff}{}", "NaN",
        String(repeating: "[", count: 100_000),
    ])
    func `is refused where it is none`(text: String) {
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test func `must be UTF-8`() {
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read([0x22, 0xff, 0x22]) }
    }

    @Test func `is read whatever its bytes are`() throws {
        let seed = Array(#"{"auths":{"a":{"auth":"b\u00e9","n":[1.5e3,true,null]}},"x":""}"#.utf8)
        var generator = SplitMix(seed: 1)
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[index] = .random(in: 0...255, using: &generator)
                case 1 where bytes.count > 1: bytes.remove(at: index)
                default: bytes.insert(bytes.randomElement(using: &generator)!, at: index)
                }
            }
            // Neither a crash nor a loss: what is read is written so that it reads the same.
            guard let tree = try? JSONReader.read(bytes) else { continue }
            #expect(try JSONReader.read(Array(tree.formatted.utf8)) == tree)
        }
    }
}
