import TestSupport
import Testing

@testable import Credentials

@Suite struct `A credential helper` {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func helper(_ script: String) throws -> CredentialHelper {
        // Another program makes the file: a child that somebody else starts must not have it open for writing.
        let text = try directory.write("script", "#!/bin/sh\n\(script)\n".utf8)
        let path = directory.path("docker-credential-test")
        _ = try Program.output(["/usr/bin/install", "-m", "755", text, path])
        return try CredentialHelper(
            "test", namedBy: "file",
            environment: [
                "PATH": "relative::\(directory.path):/usr/bin:/bin", "DOCKER_AUTH_CONFIG": "secret",
            ])
    }

    private func problem(
        _ script: String, timeout: Duration = .seconds(30)
    ) async throws -> CredentialError? {
        let helper = try helper(script)
        do throws(CredentialError) {
            _ = try await helper.get("r.example")
            return nil
        } catch { return error }
    }

    @Test func `is asked on its input and answers in JSON`() async throws {
        let helper = try helper(
            #"read s; echo '{"ServerURL":"'$s'","Username":"'$1'","Secret":"'$s'"}'"#)
        let found = try await helper.get("r.example")
        #expect(
            found
                == Credential(
                    .password(user: "get", Secret("r.example")), source: "docker-credential-test"))
    }

    @Test func `gives an identity token under a name of its own`() async throws {
        let found = try await helper(#"echo '{"Username":"<token>","Secret":"t"}'"#).get("x")
        #expect(found?.kind == .identityToken(Secret("t")))
    }

    @Test(arguments: [
        "echo 'credentials not found in native keychain'; exit 1",
        #"echo '{"ServerURL":"x","Username":"","Secret":""}'"#,
    ])
    func `may know nothing`(script: String) async throws {
        #expect(try await helper(script).get("r.example") == nil)
    }

    @Test(arguments: [
        ("exit 3", "docker-credential-test failed (exit status 3)"),
        (
            "echo; echo 'the \u{1b}[31mkeychain is locked'; echo secret >&2; exit 1",
            "docker-credential-test failed (exit status 1): the [31mkeychain is locked"
        ),
        ("kill -9 $$", "docker-credential-test failed (ended by signal 9 (Killed))"),
        ("echo secret", "docker-credential-test gave an answer that is none"),
        ("true", "docker-credential-test gave an answer that is none"),
        ("head -c 1000000 /dev/zero", "docker-credential-test gave an answer that is none"),
    ])
    func `that fails is an error`(script: String, expected: String) async throws {
        #expect(try await problem(script)?.description == expected)
    }

    @Test func `must be installed`() async throws {
        let helper = try CredentialHelper("none", namedBy: "file", environment: ["PATH": "/bin"])
        let error = await #expect(throws: CredentialError.self) { try await helper.get("x") }
        #expect(error?.description == "docker-credential-none is nowhere along PATH")
    }

    @Test func `is not taken from where everybody writes, nor from a relative place`() throws {
        _ = try helper("true")
        let name = "docker-credential-test"
        #expect(HelperProcess.find(name, along: directory.path) == directory.path(name))
        #expect(HelperProcess.find(name, along: ":.:relative") == nil)
        _ = try Program.output(["/bin/chmod", "777", directory.path])
        #expect(HelperProcess.find(name, along: directory.path) == nil)
    }

    @Test func `that hangs is ended with its children`() async throws {
        _ = try helper(
            "sleep 1000 & echo $$ > '\(directory.path)/part'; mv '\(directory.path)/part' '\(directory.path)/pid'; sleep 1000"
        )
        // A shell takes its time where others work, too: it has to have got as far as its children.
        var group: String?
        for milliseconds in [300, 3000, 30_000] where group == nil {
            let process = HelperProcess(
                program: "docker-credential-test",
                environment: ["PATH": directory.path + ":/usr/bin:/bin"],
                timeout: .milliseconds(milliseconds))
            let error = await #expect(throws: CredentialError.self) {
                try await process.run(["get"], input: [])
            }
            #expect(error?.problem == .helperTimedOut(seconds: milliseconds / 1000))
            group = (try? directory.read("pid")).map {
                String(decoding: $0.dropLast(), as: UTF8.self)
            }
        }
        let id = try #require(group)
        // Who is killed may be seen for a moment longer.
        var left = "unknown"
        let end = ContinuousClock.now + .seconds(60)
        while !left.isEmpty, ContinuousClock.now < end {
            left = try Program.output(["/bin/sh", "-c", "pgrep -r R,S,D -g \(id) || true"])
        }
        #expect(left.isEmpty)
    }

    @Test func `may leave something running`() async throws {
        // Waiting for the end of its output would come to the time limit.
        let found = try await helper(
            #"sleep 60 & echo '{"Username":"u","Secret":"s"}'"#
        ).get("x")
        #expect(found != nil)
    }

    @Test func `has its standard descriptors alone, no terminal, and none of our secrets`()
        async throws
    {
        let script = """
            ls /proc/self/fd > '\(directory.path)/fds'
            tty=no; if (: < /dev/tty) 2>/dev/null; then tty=yes; fi
            printf '{"Username":"%s","Secret":"%s"}' "$tty" "$DOCKER_AUTH_CONFIG"
            """
        let found = try await helper(script).get("x")
        guard case .password(let user, let secret)? = found?.kind else {
            throw TestSupportError("\(found as Any)")
        }
        #expect(user == "no")
        // The last one is the directory that ls reads.
        #expect(try directory.read("fds") == Array("0\n1\n2\n3\n".utf8))
        #expect(secret.isEmpty)
    }

    @Test func `need not read what it is asked`() async throws {
        #expect(
            try await helper("exec <&-; sleep 0.1; echo '{\"Username\":\"u\",\"Secret\":\"s\"}'")
                .get("x") != nil)
    }

    @Test func `keeps and forgets`() async throws {
        let helper = try helper("cat > '\(directory.path)/'$1")
        let secret = Secret("s\"x")
        try await helper.store(
            Credential(.password(user: "me", secret), source: ""), for: "r.example")
        let stored = try JSONReader.read(try directory.read("store"))
        #expect(
            stored.members?.map(\.value) == [.string("r.example"), .string("me"), .string("s\"x")])
        #expect(try await helper.erase("r.example"))
        #expect(try directory.read("erase") == Array("r.example".utf8))
    }

    @Test func `repeats no secret in its complaints`() async throws {
        let helper = try helper("read a; read b; read c; read d; echo \"cannot keep $d\"; exit 1")
        let error = await #expect(throws: CredentialError.self) {
            try await helper.store(
                Credential(.password(user: "me", Secret("hunter2")), source: ""), for: "r.example")
        }
        #expect(error?.description.contains("cannot keep") == true)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test(arguments: [
        "../../evil", "/abs/evil", "x;touch", "-x", "", "a/b", ".x", "a b", "a\nb",
        String(repeating: "a", count: 300),
    ])
    func `has a name that is no path`(name: String) {
        #expect(!CredentialHelper.isName(name))
        #expect(throws: CredentialError.self) {
            try CredentialHelper(name, namedBy: "file", environment: [:])
        }
    }
}
