import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: what a RUN leaves in its layer` {
    /// That no layer has an attribute of overlay's, InspectedImage checks in every image.
    @Test func `O01 O08 nothing that the builder or overlay wrote`() throws {
        try attack("O01") { scene in
            let dockerfile =
                "FROM \(try Bases.probe())\nRUN mv /var /renamed; touch /bin/probe; mkdir /d\nRUN true\n"
            let one = try scene.files(dockerfile, [:], ["--no-cache"], ["SOURCE_DATE_EPOCH": "1"])
            // RUN true gave none: two layers of the base, and one.
            #expect(one.layers.count == 3)
            let two = try scene.files(dockerfile, [:], ["--no-cache"], ["SOURCE_DATE_EPOCH": "1"])
            #expect(one.layers.map(\.diffID) == two.layers.map(\.diffID))
        }
    }

    /// What looks like overlay's own mark is kept under its own name, one level down in a tree, and hides nothing.
    @Test
    func `O02 O04 attributes that mean something to overlay or to the host mean nothing here`()
        throws
    {
        try attack("O02") { scene in
            let output = scene.path("marked")
            try scene.build(
                """
                FROM \(Bases.probe())
                COPY --from=tools attack /bin/attack
                RUN mkdir -p /d/sub && echo a > /d/a && echo b > /d/sub/file
                RUN attack attributes /d && attack attributes /d/sub && attack attributes /d/sub/file
                RUN touch /d/sub/later
                """, ["tools": AttackProgram.directory()],
                ["-t", "x:out", "-o", "type=oci,dest=\(output)"]
            ).required()
            let script = TestHost.fixture("read_image.py")
            let read = try Command(["python3", script, output, "out"]).run().required()
            let image = try JSONDecoder().decode(InspectedImage.self, from: Data(read.output))
            let marked = try #require(image.layers.dropLast().last?.entry("d/sub/file")).attributes
            #expect(marked["user.kept"] == "y")
            for name in marked.keys {
                #expect(!name.hasPrefix("security.") && !name.hasPrefix("trusted."), "\(name)")
            }
            // Taken in again from what was written: nothing is hidden, nothing leads elsewhere.
            let next = try scene.build(
                "FROM base\nRUN ls -R /d; cat /d/sub/file\n", ["base": "oci-layout://\(output)"])
            for name in ["a", "file", "later", "sub"] {
                #expect(next.error.contains(" \(name)\n"), "\(name): \(next)")
            }
        }
    }

    @Test func `O03 file capabilities are of version 2, without an id of the host`() throws {
        try attack("O03") { scene in
            let image = try scene.files(
                "FROM \(Bases.probe())\nRUN echo > /file && probe attribute /file\n")
            let value = try #require(
                image.layers.last?.entry("file")?.attributes["security.capability"])
            let bytes = InspectedImage.decodedBytes(value)
            #expect(bytes == [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test func `O05 O10 a directory that became a link has nothing below it`() throws {
        try attack("O05") { scene in
            let image = try scene.files(
                """
                FROM \(Bases.busybox())
                RUN mkdir -p /a/b/c /x && echo > /a/b/c/file && echo > /x/kept
                RUN rm -rf /a/b && ln -s /x /a/b && rm -rf /a/c && ln -s \(scene.canary.path) /a/c
                RUN ls /a/b/kept && rm -rf /a/c
                """)
            let names = image.layers[2].entries.map(\.name)
            #expect(Set(names) == ["a", "a/b", "a/c"])
            #expect(image.layers[2].entry("a/b")?.kind == "link")
        }
    }

    @Test func `O06 names of one file stay together, and copies come apart`() throws {
        try attack("O06") { scene in
            let image = try scene.files(
                """
                FROM \(Bases.busybox())
                RUN echo one > /a && ln /a /b && echo two > /p && ln /p /q
                RUN echo more >> /a && ln /q /r && cat /a /b
                """)
            let last = try #require(image.layers.last)
            #expect(last.entry("a")?.content == "one%0Amore%0A")
            let group = ["p", "q", "r"].compactMap { last.entry($0) }
            #expect(group.filter { $0.kind == "hardlink" }.count == max(0, group.count - 1))
        }
    }

    @Test func `O07 names are written as they are, and read back by others`() throws {
        try attack("O07") { scene in
            let image = try scene.files(
                """
                FROM \(Bases.busybox())
                RUN mkdir /d && cd /d && printf x > "$(printf 'line\\nfeed')" && printf x > "$(printf '\\377\\376')" && \
                    printf x > "$(printf 'cafe\\314\\201')" && printf x > "$(printf 'caf\\303\\251')" && \
                    printf x > "$(printf '%0255d' 0)" && printf x > "$(printf '\\033[31m')" && ln -s "$(printf '%04000d' 0)" long
                """)
            let names = Set(
                image.layers[1].entries.map { InspectedImage.decodedBytes($0.name) })
            for name: [UInt8] in [
                Array("line\nfeed".utf8), [0xff, 0xfe], Array("cafe\u{301}".utf8),
                [0x63, 0x61, 0x66, 0xc3, 0xa9],
                [UInt8](repeating: 0x30, count: 255), [0x1b, 0x5b, 0x33, 0x31, 0x6d],
            ] { #expect(names.contains(Array("d/".utf8) + name), "\(name)") }
            #expect(image.layers[1].entry("d/long")?.target.utf8.count == 4000)
        }
    }

    @Test func `O09 what nobody may read is in the layer with its mode`() throws {
        try attack("O09") { scene in
            let image = try scene.files(
                """
                FROM \(Bases.busybox())
                RUN mkdir /d && echo secret > /d/f && chown -R 33:33 /d && chmod 0 /d/f && chmod 0111 /d
                """)
            let layer = image.layers[1]
            #expect(layer.entry("d/f")?.content == "secret%0A")
            #expect(layer.summary == ["d directory 111 33:33", "d/f file 0 33:33"])
        }
    }

    @Test func `O11 a layer does not depend on the place that it was made in`() throws {
        try attack("O11") { scene in
            let dockerfile = """
                FROM \(try Bases.busybox())
                RUN mkdir /d && for n in b A ä a _ B; do echo $n > /d/$n; done
                COPY . /c
                """
            let context = try BuildFolder("", ["z": "1", "Y": "2", "é": "3"])
            func diffIDs(_ environment: [String: String], _ wrapper: [String]) throws -> [String] {
                let output = scene.path("layout-\(UInt32.random(in: 0 ... .max))")
                var command = try scene.buildCommand(
                    dockerfile, in: context, [:],
                    ["--no-cache", "-t", "x:out", "-o", "type=oci,dest=\(output)"],
                    environment.merging(["SOURCE_DATE_EPOCH": "1000"]) { $1 })
                command.arguments = wrapper + command.arguments
                try command.run().required()
                return try InspectedImage.inLayout(output, "out").layers.map(\.diffID)
            }
            let one = try diffIDs(["TZ": "UTC", "LC_ALL": "C"], [])
            let two = try diffIDs(
                ["TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"],
                ["sh", "-c", "umask 077; exec \"$@\"", "sh"])
            #expect(one == two)
        }
    }
}
