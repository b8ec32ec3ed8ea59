import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: Dockerfiles and contexts` {
    @Test(arguments: ["fifo", "directory", "socket", "zero", "sparse", "link"])
    func `D01 a Dockerfile that is no ordinary file is refused at once`(kind: String) throws {
        try attack("D01") { scene in
            let folder = scene.path("context")
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            let path = folder + "/Dockerfile"
            switch kind {
            case "fifo": mkfifo(path, 0o600)
            case "directory": mkdir(path, 0o700)
            case "socket":
                try Command([
                    "python3", "-c",
                    "import socket,sys; socket.socket(socket.AF_UNIX).bind('Dockerfile')",
                ])
                .running(in: folder).required()
            case "zero": symlink("/dev/zero", path)
            case "sparse": try Command(["truncate", "-s", "1T", path]).run().required()
            default: symlink(scene.canary.path + "/secret.txt", path)
            }
            let outcome = try scene.command(["build", "--progress", "plain", folder]).run()
            // Whoever reads it all is at it for minutes.
            scene.expectSound(outcome, within: .seconds(10))
            scene.expectRefusal(outcome, status: [65, 74])
            #expect(!outcome.error.contains(scene.canary.secret))
        }
    }

    private static let torture: [String] = [
        "FROM scratch\nLABEL a=\u{0}b\n", "FROM scratch\rLABEL a=b\r",
        "\u{feff}FROM scratch\nLABEL a=b\n",
        "FROM scratch\nRUN <<END\nnever ends\n", "FROM scratch\nLABEL a=\"never ends\n",
        "FROM scratch\nLABEL a=b \\",
        "# escape=|\nFROM scratch\n", "# escape=`\n# escape=\\\nFROM scratch\nLABEL a=b\n",
        "FROM scratch\nLABEL a=" + String(repeating: "x", count: 3 << 20) + "\n",
        "FROM scratch\n" + String(repeating: "LABEL a=b\n", count: 20_000),
        "FROM scratch\nLABEL a=${b:-" + String(repeating: "${b:-", count: 50_000) + "\n",
        "ARG a=xxxxxxxxxx\n"
            + (0..<60).map { "ARG a\($0 + 1)=$a\($0)$a\($0)$a\($0)$a\($0)\n" }.joined().replacing(
                "$a0", with: "$a")
            + "FROM scratch\nLABEL x=$a60\n",
        "FROM scratch\nCOPY <<../../x /d\nhello\n../../x\n", "FROM scratch\nSHELL []\nRUN true\n",
        "FROM scratch AS x\nCOPY --from=x / /\n", "FROM scratch AS 0\nFROM scratch AS ../x\n",
        "FROM scratch\nCOPY --from=-1 / /\n", "FROM scratch\nCOPY --from=999 / /\n",
        "FROM scratch AS a\nCOPY --from=b / /\nFROM a AS b\n",
        (0..<2000).map { "FROM scratch AS s\($0)\n" }.joined(),
        "FROM scratch\nENV a=" + String(repeating: "x", count: 200 << 10) + "\n",
        "FROM scratch\nCMD [" + String(repeating: "\"x\",", count: 100_000) + "\"x\"]\n",
    ]

    /// Whether each is refused or not, the rest of the suite says: it ends soon, without a crash, and in clean words.
    @Test(arguments: torture.indices)
    func `D02 D03 D05 D08 D10 text that hurts parsers ends soon`(number: Int) throws {
        try attack("D02") { scene in
            let outcome = try scene.build(Self.torture[number])
            #expect(
                [0, 64, 65].contains(outcome.status), "\(String(describing: outcome).prefix(3000))")
            #expect(outcome.processorTime < .seconds(20))
            if !outcome.isSuccess {
                #expect(outcome.error.contains("Dockerfile:"), "\(outcome.error.prefix(1000))")
            }
        }
    }

    @Test func `D02 bytes that are no text are refused with their line`() throws {
        try attack("D02-bytes") { scene in
            let context = try BuildFolder("")
            let path = scene.path("Bytes")
            for bytes: [UInt8] in [
                Array("FROM scratch\nLABEL a=".utf8) + [0xff, 0xfe, 0x0a],
                [0xff, 0xfe] + "FROM scratch\n".utf8.flatMap { [$0, 0] },
            ] {
                try Data(bytes).write(to: URL(filePath: path))
                let outcome = try scene.command([
                    "build", "--progress", "plain", "-f", path, context.path,
                ]).run()
                scene.expectSound(outcome)
                scene.expectRefusal(outcome, status: [65])
            }
        }
    }

    @Test(arguments: ["# syntax=HOST/evil/frontend:1\n", "# syntax=docker/dockerfile:1\n"])
    func `D04 no frontend is fetched or run`(line: String) throws {
        try attack("D04") { scene in
            let trap = try EvilRegistry()
            let text = line.replacing("HOST", with: trap.host) + "FROM scratch\nLABEL a=b\n"
            let outcome = try scene.build(
                text, [:], ["--build-arg", "BUILDKIT_SYNTAX=\(trap.host)/evil/frontend:1"])
            #expect([0, 65].contains(outcome.status), "\(outcome)")
            #expect(trap.requests.isEmpty)
        }
    }

    @Test(arguments: ["link", "fifo", "directory", "huge"])
    func `D06 a dockerignore that is a trap is refused or has no effect`(kind: String) throws {
        try attack("D06") { scene in
            let folder = scene.path("context")
            let context = try BuildFolder("", ["file": "x"])
            try FileManager.default.copyItem(atPath: context.path, toPath: folder)
            try Data("FROM scratch\nCOPY file /\n".utf8).write(
                to: URL(filePath: folder + "/Dockerfile"))
            let path = folder + "/.dockerignore"
            switch kind {
            case "link": symlink(scene.canary.path + "/secret.txt", path)
            case "fifo": mkfifo(path, 0o600)
            case "directory": mkdir(path, 0o700)
            default: try Command(["truncate", "-s", "1T", path]).run().required()
            }
            let outcome = try scene.command(["build", "--progress", "plain", folder]).run()
            scene.expectSound(outcome, within: .seconds(10))
            if kind == "huge" {
                scene.expectRefusal(outcome, status: [65], [".dockerignore", "16 MiB"])
            } else {
                #expect([0, 65].contains(outcome.status), "\(outcome)")
            }
            #expect(!outcome.error.contains(scene.canary.secret))
        }
    }

    @Test func `D07 a hostile context harms only who copies it`() throws {
        try attack("D07") { scene in
            let context = try BuildFolder("", ["good": "x", "sub/file": "y"])
            symlink("loop", context.path + "/loop")
            symlink(scene.canary.path, context.path + "/out")
            mkfifo(context.path + "/pipe", 0o600)
            mkdir(context.path + "/closed", 0)
            for name in `Attack: the format of a layer`.strangeNames where !name.contains(0x2f) {
                let path = Array(context.path.utf8) + [0x2f] + name
                let file = (path + [0]).withUnsafeBufferPointer { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { creat($0.baseAddress!, 0o600) }
                }
                close(file)
            }
            try scene.build("FROM scratch\nCOPY good sub /\n", in: context).required()
            for source in ["pipe", "closed", "loop", "out/secret.txt", "."] {
                let outcome = try scene.build("FROM scratch\nCOPY \(source) /x/\n", in: context)
                #expect([0, 65, 71, 74].contains(outcome.status), "\(source) \(outcome)")
                #expect(outcome.processorTime < .seconds(5))
            }
            chmod(context.path + "/closed", 0o700)
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test func `D09 Q06 text that turns around is shown escaped`() throws {
        try attack("D09") { scene in
            let outcome = try scene.build(
                "FROM \(Bases.busybox())\nRUN echo \u{202e}evil\u{2066} \u{1b}[2J; false\n")
            #expect(outcome.status == 1, "\(outcome)")
            for word in ["MisleadingText", "U+202E", "U+2066"] {
                #expect(outcome.error.contains(word), "\(outcome)")
            }
            for character: Character in ["\u{202e}", "\u{2066}", "\u{1b}"] {
                #expect(!outcome.error.contains(character))
            }
        }
    }
}

extension Command {
    fileprivate func running(in directory: String) throws -> Outcome {
        var command = self
        command.directory = directory
        return try command.run()
    }
}
