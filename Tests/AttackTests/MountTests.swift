import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: mounts of a RUN` {
    /// CVE-2024-23652: what was made to mount on is taken away by what it is, not by its path.
    @Test(arguments: ["cache", "tmpfs", "bind,from=tools"])
    func `S06 the clean-up of a mount's place removes nothing of the host`(type: String) throws {
        try attack("S06-mount") { scene in
            for name in ["empty", "dir"] {
                #expect(access(scene.canary.path + "/" + name, F_OK) == 0)
                let outcome = try scene.build(
                    """
                    FROM \(Bases.busybox()) AS tools
                    FROM \(Bases.busybox())
                    RUN --mount=type=\(type),target=/a/b/\(name) mv /a /was; ln -s \(scene.canary.path) /a; \
                        mkdir -p /c && mv /was /c; ln -s \(scene.canary.path) /c/was/b2; true
                    RUN ls -la / /a/ ; true
                    """, [:], ["--no-cache"])
                #expect([0, 1, 65].contains(outcome.status), "\(outcome)")
            }
        }
    }

    @Test func `M07 what lies in a cache harms neither a later build nor a prune`() throws {
        try attack("M07") { scene in
            try scene.build(
                """
                FROM \(Bases.busybox())
                RUN --mount=type=cache,id=weapon,target=/c cp /bin/busybox /c/root && chmod 6755 /c/root && \
                    ln -s \(scene.canary.path) /c/link && ln -s \(scene.canary.path)/secret.txt /c/file && mkfifo /c/pipe && \
                    mkdir -p /c/closed/in && chmod 0 /c/closed && printf x > "/c/$(printf 'a\\nb\\033[2J')" && printf x > /c/-rf
                """
            ).required()
            let seen = try scene.build(
                """
                FROM \(Bases.busybox())
                RUN --mount=type=cache,id=weapon,target=/c cat /c/file /c/link/secret.txt; \
                    grep ' /c ' /proc/self/mountinfo | cut -d' ' -f6
                """)
            #expect(seen.isSuccess, "\(seen)")
            #expect(!seen.error.contains(scene.canary.secret))
            for flag in ["nosuid", "nodev"] { #expect(seen.error.contains(flag), "\(seen)") }
            try scene.lichen.run(["prune", "--all"]).required()
        }
    }

    /// A scope of its own for each project there is not: as with Docker, the id is the name for all builds in a store.
    @Test func `M06 a cache is another one in another store`() throws {
        try attack("M06") { scene in
            let line = "RUN --mount=type=cache,id=npm,target=/c ls /c; touch /c/poison\n"
            let text = "FROM \(try Bases.busybox())\n" + line
            try scene.build(text).required()
            let other = try scene.build(text, [:], ["--root", scene.path("other")])
            #expect(other.isSuccess && !other.error.contains(" poison\n"), "\(other)")
        }
    }

    @Test(arguments: ["fifo", "directory", "huge", "missing", "zero", "closed"])
    func `M09 a secret is a file of the user's, and not a large one`(kind: String) throws {
        try attack("M09") { scene in
            let path = scene.path("secret")
            switch kind {
            case "fifo": mkfifo(path, 0o600)
            case "directory": mkdir(path, 0o700)
            case "huge": try Command(["truncate", "-s", "1T", path]).run().required()
            case "zero": symlink("/dev/zero", path)
            case "closed": close(creat(path, 0))
            default: break
            }
            let outcome = try scene.build(
                "FROM \(Bases.busybox())\nRUN --mount=type=secret,id=s,target=/s cat /s\n", [:],
                ["--secret", "id=s,src=\(path)"])
            // Whoever reads it all is at it for minutes.
            scene.expectSound(outcome, within: .seconds(10))
            #expect(outcome.status == 65, "\(outcome)")
            for word in ["Dockerfile:2", "the secret s "] {
                #expect(outcome.error.contains(word), "\(outcome)")
            }
        }
    }

    @Test(arguments: [
        "id=../../x,src=FILE", "id=s,src=FILE,env=HOME", "id=s,env=A=B", "id=", "src=", "s",
    ])
    func `M09 a secret's words are checked, and its content is in no message`(words: String) throws
    {
        try attack("M09-words") { scene in
            let path = scene.path("secret")
            let content = "content-\(UInt32.random(in: 0 ... .max))"
            try Data(content.utf8).write(to: URL(filePath: path))
            let outcome = try scene.build(
                "FROM \(Bases.busybox())\nRUN --mount=type=secret,id=s,required=true,target=/s true\n",
                [:],
                ["--secret", words.replacing("FILE", with: path)])
            #expect(!outcome.isSuccess, "\(outcome)")
            #expect(!outcome.error.contains(content), "\(outcome)")
        }
    }

    @Test func `M10 what a RUN writes to a bound context or stage is gone, and a tmpfs ends`()
        throws
    {
        try attack("M10") { scene in
            let context = try BuildFolder("", ["kept": "as it was", "d/x": "y"])
            let before = try PathSnapshot.tree(context.path)
            let outcome = try scene.build(
                """
                FROM \(Bases.busybox()) AS other
                RUN echo stage > /file
                FROM \(Bases.busybox())
                RUN --mount=target=/ctx,rw rm -rf /ctx/d && echo changed > /ctx/kept && touch /ctx/new
                RUN --mount=from=other,target=/o,rw rm /o/file && touch /o/new
                RUN --mount=from=other,target=/o cat /o/file && test ! -e /o/new
                RUN --mount=type=tmpfs,target=/t,size=1m ! dd if=/dev/zero of=/t/x bs=64k count=64 2>/dev/null
                """, in: context)
            #expect(outcome.isSuccess, "\(outcome)")
            #expect(try PathSnapshot.tree(context.path) == before)
        }
    }
}
