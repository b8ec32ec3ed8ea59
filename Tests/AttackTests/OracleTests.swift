import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// That the suite can fail: each oracle is shown an attack that succeeds.
@Suite struct `The oracles of the attacks` {
    /// What a case has to say about harm that is done to it.
    private func differences(_ harm: (Scene) throws -> Void) throws -> [String] {
        let scene = try Scene.forOracles()
        let before = try Surroundings(scene)
        try harm(scene)
        return try before.differences(scene)
    }

    @Test func `are content where nothing happened`() throws {
        #expect(try differences { _ in }.isEmpty)
        #expect(
            try differences { scene in
                // Reading is no harm, as far as files can tell.
                _ = try Data(contentsOf: URL(filePath: scene.canary.path + "/secret.txt"))
            }.isEmpty)
    }

    @Test func `see what GNU tar does with a hostile archive and -P`() throws {
        let found = try differences { scene in
            let files = try TemporaryDirectory()
            let tar = try files.write("a.tar", RawTar.make { $0.file("../canary/pwn") })
            let folder = scene.path("context")
            mkdir(folder, 0o700)
            try Command(["tar", "-P", "-x", "-f", tar, "-C", folder]).run().required()
        }
        #expect(found.contains { $0.contains("/canary/pwn") })
    }

    @Test(arguments: [
        "echo x >> secret.txt", "chmod 600 secret.txt", "ln secret.txt exfil", "rm empty",
        "touch -d @1 dir/ORIGINAL",
        "mv dir dir2", "ln -sfn /etc dir2",
        "setfattr -n user.canary -v dead secret.txt || echo x >> secret.txt",
        "cp -p secret.txt copy && mv copy secret.txt", "touch ../stray",
    ])
    func `see a canary that was touched`(harm: String) throws {
        let found = try differences { scene in
            var command = Command(["sh", "-c", harm])
            command.directory = scene.canary.path
            try command.run().required()
        }
        #expect(!found.isEmpty)
    }

    @Test func `see a process that was left behind`() throws {
        let scene = try Scene.forOracles()
        let before = try Surroundings(scene)
        var command = Command(["sleep", "60"])
        command.environment = ["LICHEN_CASE": scene.marker]
        let byEnvironment = try command.start()
        #expect(try before.differences(scene).contains { $0.contains("\(byEnvironment.process)") })
        byEnvironment.send(SIGKILL)
        _ = try byEnvironment.finish()
        let byName = try Command(["sh", "-c", ": \(scene.marker); sleep 60; true"]).start()
        #expect(try before.differences(scene).contains { $0.contains("\(byName.process)") })
    }

    @Test func `see raw control bytes and crashes`() throws {
        for script in [
            "printf '\\033[2J'", "printf '\\r'", "echo 'Fatal error: x' >&2", "kill -SEGV $$",
            "exit 70",
        ] {
            let scene = try Scene.forOracles()
            let outcome = try Command(["sh", "-c", script]).run()
            withKnownIssue { scene.expectSound(outcome) }
        }
    }

    @Test func `see a secret in a packed layer`() throws {
        let scene = try Scene.forOracles()
        let path = scene.path("blob")
        try Data(scene.canary.secret.utf8).write(to: URL(filePath: path))
        try Command(["gzip", path]).run().required()
        withKnownIssue { try scene.expectNowhere(scene.canary.secret) }
    }
}
