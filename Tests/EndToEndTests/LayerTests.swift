import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `The layer of a RUN` {
    @Test func `holds the file and its directories, and nothing else`() throws {
        let built = try build("RUN mkdir -p /srv/a && echo hello > /srv/a/file")
        #expect(
            built.onlyLayer.summary == [
                "srv directory 755 0:0", "srv/a directory 755 0:0", "srv/a/file file 644 0:0",
            ])
        #expect(built.onlyLayer.entry("srv/a/file")?.content == "hello%0A")
    }

    @Test func `carries a parent that is the base's with the base's mode and owner`() throws {
        let built = try build("RUN echo > /root/file && chown 7:8 /root/file && echo > /tmp/other")
        #expect(
            built.onlyLayer.summary == [
                "root directory 700 0:0", "root/file file 644 7:8", "tmp directory 1777 0:0",
                "tmp/other file 644 0:0",
            ])
    }

    @Test(arguments: [
        "true", "touch -d @1000000000 /etc/passwd", "chmod 644 /etc/passwd",
        "chown 0:0 /etc/passwd",
        "echo > /new && rm /new", "mkdir -p /a/b && rm -r /a",
        "mv /etc/passwd /x && mv /x /etc/passwd",
        "cat /etc/resolv.conf /etc/hosts /etc/hostname > /dev/null; echo > /dev/shm/x",
        "ln /etc/group /etc/other && rm /etc/other",
    ])
    func `is not there when nothing changed`(command: String) throws {
        let built = try build("RUN \(command)")
        #expect(built.newLayers.isEmpty, "\(built.newLayers.map(\.summary))")
        #expect(built.image.image.history?.last?.isEmpty == true)
        #expect(built.image.image.history?.last?.created_by?.contains(command) == true)
    }

    @Test func `hides what was removed`() throws {
        let built = try build("RUN rm /etc/group && rm -r /var && rm /bin/awk")
        #expect(
            built.onlyLayer.entries.map(\.name) == [
                "bin", "bin/.wh.awk", "etc", "etc/.wh.group", ".wh.var",
            ])
        #expect(
            built.onlyLayer.entries.filter { $0.name.contains(".wh.") }.allSatisfy { $0.size == 0 })
    }

    @Test func `hides what a directory held when it was made anew`() throws {
        let built = try build(
            "RUN mkdir /d && echo 1 > /d/old && echo 2 > /d/both\nRUN rm -r /d && mkdir /d && echo 3 > /d/both"
        )
        let layer = try #require(built.newLayers.last)
        #expect(layer.entries.map(\.name) == ["d", "d/.wh..wh..opq", "d/both"])
        #expect(try built.files(below: "d") == ["d", "d/both"])
    }

    @Test func `replaces a file by a directory, and a directory by a file`() throws {
        let built = try build(
            """
            RUN echo 1 > /a && mkdir /b && echo 2 > /b/c
            RUN rm /a && mkdir /a && echo 3 > /a/x && rm -r /b && echo 4 > /b
            RUN rm -r /a && echo 5 > /a && rm /b && mkdir /b && echo 6 > /b/d
            """)
        #expect(built.newLayers.count == 3)
        #expect(try built.files(below: "a") == ["a"])
        #expect(try built.files(below: "b") == ["b", "b/d"])
        #expect(built.newLayers.last?.entry("a")?.content == "5%0A")
    }

    @Test func `holds a set of hard links whole`() throws {
        let built = try build(
            """
            RUN echo 1 > /a && ln /a /b && mkdir /z && ln /a /z/c && echo 9 > /other
            RUN chmod 600 /b
            RUN echo > /new
            """)
        let layers = Array(built.newLayers)
        #expect(layers.count == 3)
        #expect(layers[0].entry("b")?.kind == "hardlink")
        #expect(layers[0].entry("z/c")?.target == "a")
        // A file with one name of three changed: all three, or a link into a lower layer would be needed.
        let second = layers[1].summary
        #expect(second == ["b file 600 0:0"] || second.count == 4, "\(second)")
        #expect(layers[2].summary == ["new file 644 0:0"])
    }

    @Test func `keeps file capabilities and user attributes`() throws {
        let built = try build(
            "RUN echo > /tool && probe attribute /tool", base: try Bases.probe(), baseLayers: 2)
        let entry = try #require(built.onlyLayer.entry("tool"))
        #expect(entry.attributes["user.lichen"] == "moss")
        // vfs_cap_data of revision 2, as every engine writes it: no user namespace's root id in it.
        #expect(
            entry.attributes["security.capability"]
                == "%01%00%00%02%00%04%00%00%00%00%00%00%00%00%00%00%00%00%00%00")
        #expect(entry.attributes.count == 2)
    }

    @Test func `keeps file capabilities through a second step and the cache`() throws {
        let lichen = try LichenProgram()
        let text =
            "RUN echo > /tool && probe attribute /tool\nRUN probe attribute /bin/ls; mv /tool /moved"
        let first = try build(text, base: try Bases.probe(), baseLayers: 2, with: lichen)
        let entry = try #require(first.newLayers.last?.entry("moved"))
        #expect(entry.attributes["security.capability"]?.hasPrefix("%01%00%00%02") == true)
        let second = try build(text, base: try Bases.probe(), baseLayers: 2, with: lichen)
        #expect(second.image.manifest.digest == first.image.manifest.digest)
    }

    @Test func `keeps long and odd names`() throws {
        let long = String(repeating: "n", count: 255)
        let deep = (1...12).map { "directory-number-\($0)-with-a-long-name" }.joined(separator: "/")
        let built = try build(
            """
            RUN mkdir -p /o/\(deep) && echo > /o/\(deep)/file && echo > /o/\(long)
            RUN cd /o && echo 1 > "$(printf 'latin-\\351')" && echo 2 > "$(printf 'new\\nline')" && echo 3 > 'ünï ©ode' && ln -s "$(printf '\\377')" link
            """)
        let layers = Array(built.newLayers)
        #expect(layers[0].entry("o/\(long)") != nil)
        #expect(layers[0].entry("o/\(deep)/file")?.kind == "file")
        #expect(layers[1].entry("o/latin-%E9")?.content == "1%0A")
        #expect(layers[1].entry("o/new%0Aline")?.content == "2%0A")
        #expect(layers[1].entry("o/%C3%BCn%C3%AF %C2%A9ode")?.content == "3%0A")
        #expect(layers[1].entry("o/link")?.target == "%FF")
    }

    @Test func `keeps sparse files small, and pipes`() throws {
        let built = try build(
            "RUN truncate -s 300M /sparse && mkfifo -m 640 /pipe && ln -s ../x /link")
        let layer = built.onlyLayer
        #expect(layer.entry("pipe")?.kind == "fifo")
        #expect(layer.entry("pipe")?.mode == 0o640)
        #expect(layer.entry("link")?.target == "../x")
        #expect(layer.entry("sparse")?.size == 300 << 20)
        #expect(layer.size < 1 << 20)
    }

    @Test func `leaves sockets out`() throws {
        let built = try build(
            "RUN mkdir /n && probe nodes /n", base: try Bases.probe(), baseLayers: 2)
        #expect(built.onlyLayer.entries.map(\.name) == ["n", "n/fifo"])
    }

    @Test func `cannot hold a file that is named like a whiteout`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN echo > /etc/.wh.passwd\n")
        let outcome = try lichen.build(folder).run()
        #expect(outcome.status != 0 && outcome.status != 70, "\(outcome)")
        #expect(outcome.error.contains("Dockerfile:2"))
        #expect(outcome.error.contains("/etc/.wh.passwd"))
        #expect(lichen.work.isEmpty)
    }

    @Test func `is kept when only the root directory changes`() throws {
        let built = try build("RUN chmod 711 /\nRUN stat -c %a / > /mode")
        #expect(built.newLayers.count == 2)
        #expect(built.newLayers.last?.entry("mode")?.content == "711%0A")
    }
}
