import FoundationEssentials
import TestSupport
import Testing

/// `RUN --mount`, on overlay and on copies.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A mount of a RUN` {
    static let ways = [["--snapshotter", "overlay"], ["--snapshotter", "copy"]]

    @Test(arguments: ways)
    func `shows files of the context without its ignored ones, and drops what is written`(
        way: [String]
    ) throws {
        let built = try build(
            """
            RUN --mount=type=bind,target=/ctx,rw test "$(cat /ctx/a)" = one && test ! -e /ctx/secret.env \\
              && echo > /ctx/new && test "$(stat -c %u:%g /ctx/a)" = 0:0
            RUN --mount=source=sub/b,target=/deep/er/file test "$(cat /deep/er/file)" = two && ! echo > /deep/er/file
            RUN test ! -e /ctx && test ! -e /deep
            """,
            files: ["a": "one\n", "sub/b": "two\n", "secret.env": "x", ".dockerignore": "*.env"],
            way)
        #expect(built.newLayers.isEmpty, "\(built.newLayers.map(\.summary))")
    }

    @Test(arguments: ways)
    func `shows files of another stage`(way: [String]) throws {
        let busybox = try Bases.busybox()
        let built = try buildWhole(
            """
            FROM \(busybox) AS tools
            RUN mkdir /stuff && echo here > /stuff/a && ln -s a /stuff/l
            FROM \(busybox)
            RUN --mount=from=tools,source=/stuff,target=/mnt test "$(cat /mnt/l)" = here && ! echo > /mnt/x
            RUN --mount=from=tools,source=/stuff,target=/mnt,rw echo > /mnt/x
            RUN --mount=from=\(busybox),source=/etc,target=/theirs cmp /theirs/passwd /etc/passwd
            """, baseLayers: 1, way)
        #expect(built.newLayers.isEmpty, "\(built.newLayers.map(\.summary))")
    }

    @Test func `is read into the key by its files`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            """
            FROM \(Bases.busybox())
            RUN --mount=type=bind,target=/ctx cat /ctx/a > /result
            """, ["a": "1", "b": "1"])
        try lichen.build(folder).run().required()
        #expect(try lichen.build(folder).run().required().error.contains("#1 cached"))
        try folder.write("a", "2")
        #expect(try !lichen.build(folder).run().required().error.contains("#1 cached"))
    }

    @Test func `keeps a cache between builds, seeded once`() throws {
        let lichen = try LichenProgram()
        let busybox = try Bases.busybox()
        func run(_ command: String, _ options: String) throws -> Command.Outcome {
            let folder = try BuildFolder(
                "FROM \(busybox)\nRUN --mount=type=cache,target=/c,\(options) \(command)\n")
            return try lichen.build(folder, ["--no-cache"]).run()
        }
        let seeded = "id=seeded,from=\(busybox),source=/etc,mode=0700"
        try #expect(run("test -s /c/passwd && rm /c/* && echo kept > /c/x", seeded).isSuccess)
        try #expect(run("test ! -e /c/passwd && grep kept /c/x", seeded).isSuccess)
        try #expect(run("grep kept /c/x", "id=seeded,sharing=locked").isSuccess)
        try #expect(run("grep kept /c/x", "id=other").status == 1)
        try #expect(run("! echo > /c/y", "id=seeded,ro").isSuccess)
    }

    @Test func `that is locked lets one RUN in at a time, and a private one gives each its own`()
        throws
    {
        let script = "for i in 1 2 3; do cat /who >> /c/log; sleep 0.2; done; uniq /c/log | wc -l"
        for (sharing, expected) in [("locked", ["1", "2"]), ("private", ["1", "1"])] {
            let stages = ["a", "b"].map {
                "FROM \(try! Bases.busybox()) AS \($0)\nRUN --mount=type=cache,target=/c,sharing=\(sharing) "
                    + "echo \($0) > /who; \(script) > /lines\n"
            }
            let built = try buildWhole(
                stages.joined()
                    + "FROM scratch\nCOPY --from=a /lines /a\nCOPY --from=b /lines /b\n",
                ["--jobs", "2"])
            let lines = built.newLayers.flatMap(\.entries).map {
                InspectedImage.decoded($0.content).trimmed
            }
            #expect(lines.sorted() == expected, "\(sharing)")
        }
    }

    @Test func `is a tmpfs of the size that it was given`() throws {
        let built = try build(
            """
            RUN --mount=type=tmpfs,target=/t,size=1m test "$(stat -f -c %b /t)" -le 256 && echo > /t/x \\
              && ! dd if=/dev/zero of=/t/big bs=1M count=2 2>/dev/null
            RUN test ! -e /t
            """)
        #expect(built.newLayers.isEmpty)
    }

    @Test func `shows a secret to its RUN, and to nothing else`() throws {
        let token = "c0ffee0123456789abcdef0123456789"
        let lichen = try LichenProgram()
        let folder = try TemporaryDirectory()
        try folder.write("token", token.utf8)
        let built = try build(
            """
            RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = \(token.prefix(6))"$(cut -c7- /run/secrets/token)" \\
              && test "$(stat -c %a:%u /run/secrets/token)" = 400:0
            RUN --mount=type=secret,id=token,target=/etc/token,mode=0444,uid=1000 test "$(stat -c %a:%u /etc/token)" = 444:1000
            RUN --mount=type=secret,id=word,env=WORD test -n "$WORD" && test ! -e /run/secrets/word && echo "${#WORD}" > /length
            RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent
            RUN test ! -e /run/secrets && test -z "$WORD"
            """,
            [
                "--secret", "id=token,src=\(folder.path("token"))", "--secret",
                "id=word,env=SECRET_WORD",
            ],
            environment: ["SECRET_WORD": token], with: lichen)
        #expect(built.onlyLayer.summary == ["length file 644 0:0"])
        // Nowhere in the store, neither as it is nor inside what is compressed: steps, listings, configs, layers.
        let found = try Command([
            "sh", "-c",
            "grep -rla \(token) \(lichen.store) | head; find \(lichen.store)/blobs -type f "
                + "-exec sh -c 'zcat \"$1\" 2>/dev/null | grep -la \(token)' - {} \\;",
        ]).run()
        #expect(found.text.isEmpty, "\(found.text)")
        #expect(!built.outcome.error.contains(token))
    }

    @Test func `that is required and not given is an error with its line`() throws {
        let lichen = try LichenProgram()
        for (mount, words) in [
            ("type=secret,id=x,required", "--secret id=x"), ("type=ssh,required", "--ssh default"),
            ("type=cache", "target"), ("type=bind,source=nowhere,target=/x", "nowhere"),
            ("type=tmpfs,target=/proc/x", "/proc"),
        ] {
            let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN --mount=\(mount) true\n")
            let outcome = try lichen.build(folder).run()
            #expect(!outcome.isSuccess && outcome.error.contains("Dockerfile:2:"), "\(outcome)")
            #expect(outcome.error.contains(words), "\(outcome)")
        }
    }

    @Test func `is a script with an interpreter line`() throws {
        let built = try build(
            """
            RUN <<EOF
            #!/bin/awk -f
            BEGIN { print "awk" > "/who" }
            EOF
            RUN <<EOF
            set -e
            echo shell >> /who
            EOF
            RUN cat <<A <<B >> /who
            a
            A
            b
            B
            """)
        let last = built.newLayers.last?.entry("who")
        #expect(InspectedImage.decoded(last?.content ?? "") == "awk\nshell\nb\n")
    }
}

extension String {
    fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}
