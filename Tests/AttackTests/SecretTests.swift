import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: credentials and words` {
    /// CVE-2021-20206: the name of a helper is no path.
    @Test(arguments: [
        "../../evil", "ABSOLUTE", "x;touch pwn", "-x", "", "a/b",
        String(repeating: "x", count: 300), "evil",
    ])
    func `Q01 a credential helper is a program of the user's, not of the context's`(name: String)
        throws
    {
        try attack("Q01") { scene in
            // Whoever runs it leaves a trace.
            let trace = scene.path("trace")
            let program = scene.path("evil")
            for path in [
                program, scene.path("docker-credential-evil"), scene.path("docker-credential-.."),
            ] {
                try Data("#!/bin/sh\necho run > \(trace)\n".utf8).write(to: URL(filePath: path))
                chmod(path, 0o755)
            }
            let evil = try EvilRegistry(user: "user:pw")
            let word = name.replacing("ABSOLUTE", with: program)
            for key in [
                "\"credsStore\":\"\(word)\"", "\"credHelpers\":{\"\(evil.host)\":\"\(word)\"}",
            ] {
                try scene.writeDockerConfig("{\(key)}")
                // The case's working directory holds the program, and these entries of PATH mean just that.
                let outcome = try scene.pull(
                    "\(evil.host)/a/b:1", ["PATH": ".::/usr/bin:/bin:"])
                #expect(!outcome.isSuccess || name.isEmpty, "\(outcome)")
                #expect(!FileManager.default.fileExists(atPath: trace), "\(key)")
            }
        }
    }

    @Test func `Q01 a helper in a directory that everybody may change is passed over`() throws {
        try attack("Q01-open") { scene in
            let open = scene.path("open"), trace = scene.path("trace")
            mkdir(open, 0o777)
            let path = open + "/docker-credential-evil"
            try Data("#!/bin/sh\necho run > \(trace)\n".utf8).write(to: URL(filePath: path))
            chmod(path, 0o755)
            let evil = try EvilRegistry(user: "user:pw")
            try scene.writeDockerConfig("{\"credsStore\":\"evil\"}")
            func isRun(_ mode: mode_t) throws -> Bool {
                chmod(open, mode)
                _ = try scene.pull("\(evil.host)/a/b:1", ["PATH": "\(open):/usr/bin:/bin"])
                return FileManager.default.fileExists(atPath: trace)
            }
            #expect(try !isRun(0o777))
            // In a directory of the user's own, it is: the trap works.
            #expect(try isRun(0o755))
        }
    }

    @Test(arguments: [
        "echo no JSON", "head -c 100000000 /dev/zero", "echo token-in-error >&2; exit 1",
        "exec setsid sleep 1",
    ])
    func `Q02 a helper that misbehaves is an error, and its words are not passed on`(script: String)
        throws
    {
        try attack("Q02") { scene in
            let folder = scene.path("bin")
            mkdir(folder, 0o755)
            let path = folder + "/docker-credential-odd"
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
            chmod(path, 0o755)
            let evil = try EvilRegistry(user: "user:pw")
            try scene.writeDockerConfig("{\"credsStore\":\"odd\"}")
            let outcome = try scene.pull("\(evil.host)/a/b:1", ["PATH": "\(folder):/usr/bin:/bin"])
            #expect(!outcome.isSuccess)
            #expect(outcome.error.utf8.count < 2000)
            #expect(!outcome.error.contains("token-in-error"))
            #expect(outcome.processorTime < .seconds(10))
        }
    }

    /// In success, failure and noise: the password, and the word that stands for it in a header.
    @Test(arguments: ["success", "failure", "verbose"])
    func `Q03 a password is nowhere but on the wire`(kind: String) throws {
        try attack("Q03") { scene in
            let password = "pw-" + String(UInt64.random(in: 0 ... .max), radix: 16)
            let user = "user:\(password)"
            let evil = try EvilRegistry(user: user)
            try scene.logIn(to: [evil.host], user: user)
            let dockerfile = """
                FROM \(evil.host)/a/b:1 AS base
                FROM \(try Bases.busybox())
                COPY --from=base / /
                RUN env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; \(kind == "failure" ? "false" : "true")
                """
            let metadata = scene.path("metadata")
            let outcome = try scene.build(
                dockerfile, [:],
                ["-t", "\(evil.host)/out:1", "--metadata-file", metadata]
                    + (kind == "failure" ? [] : ["--push"]) + (kind == "verbose" ? ["-v"] : []))
            #expect(outcome.isSuccess == (kind != "failure"), "\(outcome)")
            #expect(!evil.credentials.isEmpty)
            for word in [password, Data(user.utf8).base64EncodedString()] {
                #expect(!outcome.error.contains(word))
                #expect(!outcome.text.contains(word))
                try scene.expectNowhere(word)
            }
            for request in evil.requests where request.method != "GET" {
                #expect(!String(decoding: request.body, as: UTF8.self).contains(password))
            }
        }
    }

    private static let sequences = [
        "\\033]0;title\\007", "\\033]8;;http://x\\007", "\\033]52;c;eHg=\\007",
        "\\033P1;2q\\033\\\\", "\\033[2J", "\\033[1A\\033[2K",
        "\\r#1 done\\n", "\\233 2J", "\\302\\233 2J", "error: Dockerfile:1: fake\\n",
        "#3 [3/3] RUN fake\\n", "sha256:fake\\n",
    ]

    @Test func `Q06 Q07 what a RUN prints can't be taken for the builder's words`() throws {
        try attack("Q06") { scene in
            let noise = Self.sequences.joined()
            let outcome = try scene.build(
                """
                FROM \(Bases.busybox())
                LABEL x="\u{1b}]0;label\u{7}"
                RUN printf '\(noise)'; printf '::set-env name=X::y\\n##vso[task.x]\\n##teamcity[x]\\n::add-mask::x\\n'; printf '\(noise)' >&2
                """)
            #expect(outcome.isSuccess, "\(outcome)")
            for line in outcome.error.split(separator: "\n") {
                for marker in ["::", "##", "error: ", "sha256:"] {
                    #expect(!line.hasPrefix(marker), "\(line)")
                }
                // Its own steps are numbered at the start of a line; what a RUN prints stands behind that.
                if line.contains("fake") { #expect(line.hasPrefix("#2 "), "\(line)") }
            }
            #expect(!outcome.error.unicodeScalars.contains { (0x80..<0xa0).contains($0.value) })
        }
    }

    @Test func `Q06 on a terminal only the builder moves the cursor`() throws {
        try attack("Q06-terminal") { scene in
            var command = try scene.buildCommand(
                "FROM \(Bases.busybox())\nRUN printf '\(Self.sequences.joined())'; sleep 1\n")
            let words = command.arguments.filter { $0 != "--progress" && $0 != "plain" }
                .map { "'\($0)'" }.joined(separator: " ")
            command.arguments = ["script", "-qec", words, "/dev/null"]
            command.environment["TERM"] = "xterm"
            command.directory = nil
            let outcome = try command.run().required()
            let bytes = outcome.output
            // No string of any kind (OSC, DCS, APC, PM, SOS), and no C1 byte.
            for final in "]P_^X" {
                #expect(!bytes.contains([0x1b, final.asciiValue!]), "ESC \(final)")
            }
            #expect(bytes.contains(0x1b), "it is a live display")
        }
    }
}
