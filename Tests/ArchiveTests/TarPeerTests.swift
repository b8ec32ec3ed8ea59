import Archive
import Glibc
import SystemPackage
import Testing

@Suite struct `Other tars` {
    private static let deep = String(repeating: "directory/", count: 14)
    private static let odd: [UInt8] = [0x6e, 0xff, 0xfe, 0x80]

    /// Names short and long, of text and of other bytes.
    private static let names: [[UInt8]] = [
        Array("plain".utf8), Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8), odd,
        Array((deep + "split").utf8), Array(String(repeating: "l", count: 200).utf8),
        Array(String(repeating: "\u{e9}", count: 100).utf8),
        odd + [UInt8](repeating: 0xfe, count: 180),
        Array((deep + deep + deep).utf8) + odd, Array("sp ace\nnew\\line".utf8),
    ]

    private static let hasPython = Tool.run("python3", "--version").status == 0

    @Test(arguments: hasPython ? ["gnu", "python"] : ["gnu"])
    func `unpack ours to the same bytes`(tool: String) throws {
        var written: [(entry: TarEntry, data: [UInt8])] = []
        for (index, name) in Self.names.enumerated() {
            written.append(file(name, Array("content \(index)".utf8)))
        }
        var link = TarEntry(path: Array("link".utf8), kind: .symlink)
        link.linkTarget = Array(String(repeating: "t/", count: 90).utf8) + Self.odd
        written.append((link, []))
        let scratch = Scratch()
        let archive = try scratch.file("a.tar", tar(written))

        let tree = scratch.path + "/tree"
        mkdir(tree, 0o755)
        let unpacking =
            tool == "gnu"
            ? Tool.run("tar", "-xf", archive, "-C", tree)
            : Tool.run(
                "python3", "-c",
                """
                import sys, tarfile
                tarfile.open(sys.argv[1]).extractall(sys.argv[2])
                """, archive, tree)
        #expect(unpacking.status == 0, "\(unpacking.text)")
        for (entry, data) in written where entry.kind == .file {
            #expect(
                contents(Array("\(tree)/".utf8) + entry.path) == data,
                "\(String(decoding: entry.path, as: UTF8.self))")
        }
        #expect(Tool.run("readlink", "-n", "\(tree)/link").output == link.linkTarget)
    }

    @Test(.enabled(if: hasPython, "python3 is not installed"))
    func `see our numbers, xattrs and kinds`() throws {
        var written = [file("f", [1])]
        written[0].entry.uid = 3_000_000_000
        written[0].entry.gid = 2_097_152
        written[0].entry.mode = 0o4755
        written[0].entry.modified.seconds = -5
        written[0].entry.xattrs = [
            TarEntry.Xattr(name: Array("user.b".utf8), value: Array("v\n=".utf8)),
            TarEntry.Xattr(name: Array("user.a".utf8), value: [65]),
        ]
        for (name, kind) in [("d", TarEntry.Kind.directory), ("p", .fifo), ("c", .characterDevice)]
        {
            var entry = TarEntry(path: Array(name.utf8), kind: kind)
            if kind == .characterDevice { (entry.major, entry.minor) = (4095, 1_048_575) }
            written.append((entry, []))
        }
        let scratch = Scratch()
        let archive = try scratch.file("a.tar", tar(written))
        let seen = Tool.run(
            "python3", "-c",
            """
            import sys, tarfile
            for m in tarfile.open(sys.argv[1]):
                x = {k[13:]: v for k, v in m.pax_headers.items() if k.startswith("SCHILY")}
                print(m.name, m.type.decode(), oct(m.mode), m.uid, m.gid, int(m.mtime), m.size,
                      m.devmajor, m.devminor, sorted(x.items()))
            """, archive)
        #expect(
            seen.text == """
                f 0 0o4755 3000000000 2097152 -5 1 0 0 [('user.a', 'A'), ('user.b', 'v\\n=')]
                d 5 0o0 0 0 0 0 0 0 []
                p 6 0o0 0 0 0 0 0 0 []
                c 3 0o0 0 0 0 0 4095 1048575 []

                """)
        #expect(Tool.run("tar", "-tvf", archive).text.contains("3000000000/2097152"))
    }

    @Test(arguments: ["v7", "oldgnu", "gnu", "ustar", "posix"])
    func `are read in each format of GNU tar`(format: String) throws {
        let scratch = Scratch()
        let long = "d/" + String(repeating: "n", count: format == "v7" ? 90 : 99)
        mkdir(scratch.path + "/d", 0o751)
        _ = try scratch.file("d/small", Array("hello".utf8))
        _ = try scratch.file(long, [9])
        symlink("target", scratch.path + "/d/link")
        Glibc.link(scratch.path + "/d/small", scratch.path + "/d/twin")
        let packed = Tool.run(
            "tar", "--format=\(format)", "--sort=name", "-C", scratch.path, "-cf", "-", "d")
        let found = try entries(of: packed.output)
        #expect(
            found.map { String(decoding: $0.entry.path, as: UTF8.self) } == [
                "d", "d/link", long, "d/small", "d/twin",
            ])
        #expect(found.map(\.entry.kind) == [.directory, .symlink, .file, .file, .hardLink])
        #expect(found[0].entry.mode == 0o751)
        #expect(found[3].data == Array("hello".utf8))
        #expect(found[4].entry.linkTarget == Array("d/small".utf8))
    }

    @Test(arguments: [
        ["--format=gnu"], ["--sparse-version=0.0"], ["--sparse-version=0.1"],
        ["--sparse-version=1.0"],
    ])
    func `are read with their sparse files`(options: [String]) throws {
        let scratch = Scratch()
        let path = try scratch.file("s", [1, 2, 3])
        let descriptor = try FileDescriptor.open(FilePath(path), .readWrite)
        try descriptor.closeAfter { () throws in
            for index in 1...30 {
                _ = try descriptor.writeAll(
                    toAbsoluteOffset: Int64(index) * 100_000, [UInt8(index)])
            }
            try descriptor.resize(to: 4_000_000)
        }
        let format = options[0].hasPrefix("--format") ? [] : ["--format=posix"]
        let packed = Tool.run(
            ["tar", "-S", "-C", scratch.path, "-cf", "-"] + format + options + ["s"]
        ).output
        try #require(packed.count < 500_000)
        let found = try entries(of: packed)
        #expect(found.map(\.entry.path) == [Array("s".utf8)])
        #expect(found.first?.entry.size == 4_000_000)
        #expect((found.first?.entry.regions?.count ?? 0) >= 30)
        #expect(found.first?.data == (try scratch.bytes(of: "s")))
    }

    private func contents(_ path: [UInt8]) -> [UInt8]? {
        let raw = (path + [0]).withUnsafeBufferPointer {
            $0.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_RDONLY) }
        }
        if raw < 0 { return nil }
        defer { close(raw) }
        return try? all(DescriptorSource(FileDescriptor(rawValue: raw)))
    }
}
