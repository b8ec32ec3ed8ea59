import Archive
import Contexts
import Layers
import Linux
import Testing

@Suite struct `An ADD` {
    private func add(
        _ script: String, _ sources: [String], to destination: String, on parent: [[String]] = [],
        owner: LayerComposer.Attributes.Owner? = nil
    ) throws -> Layer {
        let scratch = Scratch()
        Tool.make(script, in: scratch.path)
        let selection = try CopySelection(sources, in: try context(scratch))
        return try compose(on: try stack(parent)) {
            try $0.add(selection, to: destination, .init(owner: owner))
        }
    }

    /// An archive of our own making, for what tar(1) would not write.
    private func add(
        _ entries: [(entry: TarEntry, data: [UInt8])], to destination: String = "/",
        on parent: [[String]] = []
    ) throws -> Layer {
        let scratch = Scratch()
        let sink = MemorySink()
        let writer = TarWriter(to: sink)
        for (entry, data) in entries {
            var entry = entry
            entry.size = Int64(data.count)
            try writer.begin(entry)
            try data.withUnsafeBytes { try writer.write($0) }
            try writer.end()
        }
        try writer.finish()
        let file = try scratch.root.open("x", [.writeOnly, .create], mode: 0o600)
        try file.borrowed.writeFully(sink.bytes)
        let selection = try CopySelection(["x"], in: try context(scratch))
        return try compose(on: try stack(parent)) { try $0.add(selection, to: destination) }
    }

    private func entry(
        _ path: String, _ kind: TarEntry.Kind = .file, to target: String = "", _ data: String = ""
    ) -> (entry: TarEntry, data: [UInt8]) {
        var entry = TarEntry(path: Array(path.utf8), kind: kind)
        entry.mode = 0o755
        entry.linkTarget = Array(target.utf8)
        return (entry, Array(data.utf8))
    }

    @Test(arguments: [
        "cat", "gzip -c", "zstd -qc", "xz -c", "bzip2 -c",
    ])
    func `unpacks an archive of each compression, whatever its name`(program: String) throws {
        let layer = try add(
            """
            mkdir -p d/e; echo -n A >d/e/a; ln -s e/a d/l; chmod 640 d/e/a
            tar --sort=name --owner=5 --group=6 -cf - d | \(program) >thing.txt
            """, ["thing.txt"], to: "/t")
        #expect(
            layer.lines == [
                "d 0755 0:0 t", "d 0755 5:6 t/d", "d 0755 5:6 t/d/e", "f 0640 5:6 t/d/e/a=A",
                "l t/d/l -> e/a",
            ])
    }

    @Test(arguments: ["--format=v7", "--format=ustar", "--format=pax", "--format=gnu"])
    func `reads each format of tar`(format: String) throws {
        let layer = try add(
            "echo -n A >a; tar \(format) --owner=0 --group=0 -cf x.tar a", ["x.tar"], to: "/")
        #expect(layer.lines == ["f 0644 0:0 a=A"])
    }

    @Test(arguments: [
        ": >x", "echo hello >x", "echo hello | gzip >x", "head -c 10240 /dev/zero >x",
        "head -c 2000 /dev/urandom | xz >x", "printf '\\037\\213broken' >x",
    ])
    func `copies what is no archive`(script: String) throws {
        let layer = try add(script, ["x"], to: "/t/x")
        #expect(layer.entries.map { $0.entry.path } == [Array("t".utf8), Array("t/x".utf8)])
        #expect(layer.entries.last?.entry.kind == .file)
    }

    @Test func `copies a directory of archives as it is`() throws {
        let layer = try add("mkdir d; : >a; tar -cf d/x.tar a", ["d"], to: "/t/")
        #expect(layer.entries.map { $0.entry.path }.last == Array("t/x.tar".utf8))
    }

    @Test func `fails on an archive that ends early`() throws {
        let error = problem {
            _ = try add(
                "head -c 300000 /dev/urandom >a; tar -czf x a; truncate -s 100000 x", ["x"], to: "/"
            )
        }
        guard case .archive = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `gives all to the owner of --chown`() throws {
        let layer = try add(
            ": >a; tar --owner=5 --group=5 -cf x a", ["x"], to: "/t/", owner: .init(uid: 7, gid: 8))
        #expect(layer.lines == ["d 0755 7:8 t", "f 0644 7:8 t/a"])
    }

    @Test func `keeps what exists at the destination`() throws {
        let layer = try add(
            "mkdir -m 700 d; : >d/a; tar --owner=0 --group=0 -C d -cf x .", ["x"], to: "/t",
            on: [["d 1777 3:3 t"]])
        #expect(layer.lines == ["d 1777 3:3 t", "f 0644 0:0 t/a"])
    }

    @Test func `mixes archives and files, of which the later one counts`() throws {
        let layer = try add(
            "echo -n 1 >a; tar --owner=0 --group=0 -cf x a; echo -n 2 >a", ["x", "a"], to: "/t/")
        #expect(
            layer.lines == ["d 0755 0:0 t", "f 0644 0:0 t/a=1", "f 0644 0:0 t/a=2"])
    }

    @Test func `follows the image's links below its root`() throws {
        let layer = try add(
            [entry("lib/x", .file, "A")], to: "/",
            on: [["l lib -> ../../usr/lib", "d 0755 0:0 usr", "d 0755 0:0 usr/lib"]])
        #expect(
            layer.lines == ["d 0755 0:0 usr", "d 0755 0:0 usr/lib", "f 0755 0:0 usr/lib/x=A"])
    }

    @Test func `follows the archive's own links below the root`() throws {
        let layer = try add(
            [entry("l", .symlink, to: "/../etc"), entry("l/x", .file, "A")], to: "/t")
        #expect(
            layer.lines == [
                "d 0755 0:0 t", "l t/l -> /../etc", "d 0755 0:0 etc", "f 0755 0:0 etc/x=A",
            ])
    }

    @Test(arguments: ["../x", "a/../../x", "a/.."])
    func `refuses an entry that climbs`(path: String) throws {
        #expect(problem { _ = try add([entry(path)]) } == .unsafePath)
    }

    @Test func `takes an absolute entry below the destination`() throws {
        #expect(try add([entry("/etc/x")], to: "/t").lines.last == "f 0755 0:0 t/etc/x")
    }

    @Test(arguments: [".wh.x", "d/.wh..wh..opq"])
    func `refuses the name of a whiteout`(path: String) throws {
        #expect(problem { _ = try add([entry(path)]) } == .whiteoutName)
    }

    @Test func `rewrites hard links to where the files went`() throws {
        let layer = try add(
            "echo -n A >a; ln a b; tar --owner=0 --group=0 -cf x a b", ["x"], to: "/t/u")
        #expect(
            layer.lines == [
                "d 0755 0:0 t", "d 0755 0:0 t/u", "f 0644 0:0 t/u/a=A", "h t/u/b -> t/u/a",
            ])
        #expect(layer.listing[TreePath("t/u/b".utf8)!]?.size == 1)
    }

    @Test(arguments: ["nothing", "old"])
    func `refuses a hard link to what the archive does not hold`(target: String) throws {
        #expect(
            problem {
                _ = try add([entry("h", .hardLink, to: target)], on: [["f 0644 0:0 old"]])
            } == .missingLinkTarget(Array(target.utf8)))
    }

    @Test func `refuses a hard link out of the root`() throws {
        #expect(problem { _ = try add([entry("h", .hardLink, to: "../x")]) } == .unsafePath)
    }

    @Test func `replaces a directory of the image by a file`() throws {
        let layer = try add([entry("d", .file, "A")], on: [["d 0755 0:0 d", "f 0644 0:0 d/x"]])
        #expect(layer.lines == ["f 0755 0:0 d=A"])
        var parent = try stack([["d 0755 0:0 d", "f 0644 0:0 d/x"]])
        parent.push(try listing(layer.listing))
        #expect(parent.entry(at: TreePath("d/x".utf8)!) == nil)
    }

    @Test func `replaces a file of the image by a directory`() throws {
        let layer = try add(
            [entry("f/x", .file, "A"), entry("g", .directory)], on: [["f 0644 0:0 g"]])
        #expect(layer.lines == ["d 0755 0:0 f", "f 0755 0:0 f/x=A", "d 0755 0:0 g"])
    }

    @Test func `refuses an entry below a file of the image`() throws {
        #expect(
            problem { _ = try add([entry("f/x")], on: [["f 0644 0:0 f"]]) } == .notDirectory)
    }

    @Test func `hides the image's directory that a file and then a directory replace`() throws {
        let layer = try add(
            [entry("d"), entry("d", .directory), entry("d/y")],
            on: [["d 0755 0:0 d", "f 0644 0:0 d/x"]])
        #expect(
            layer.lines == [
                "f 0755 0:0 d", "d 0755 0:0 d", "f 0000 0:0 d/.wh..wh..opq", "f 0755 0:0 d/y",
            ])
        var parent = try stack([["d 0755 0:0 d", "f 0644 0:0 d/x"]])
        parent.push(try listing(layer.listing))
        #expect(parent.entry(at: TreePath("d/x".utf8)!) == nil)
        #expect(parent.entry(at: TreePath("d/y".utf8)!) != nil)
    }

    @Test func `forgets what a later file of the archive replaces`() throws {
        let layer = try add([entry("d/x"), entry("d"), entry("h", .hardLink, to: "d")])
        #expect(layer.listing[TreePath("d/x".utf8)!] == nil)
        #expect(
            problem {
                _ = try add([entry("d/x"), entry("d"), entry("h", .hardLink, to: "d/x")])
            } == .missingLinkTarget(Array("d/x".utf8)))
    }

    @Test func `writes the holes of a sparse file as zeros`() throws {
        let layer = try add(
            "truncate -s 100000 a; echo -n end >>a; tar -S --owner=0 --group=0 -cf x a", ["x"],
            to: "/")
        #expect(layer.entries[0].data == [UInt8](repeating: 0, count: 100000) + Array("end".utf8))
    }

    @Test func `keeps devices and fifos of an archive`() throws {
        var device = entry("dev/null", .characterDevice)
        (device.entry.major, device.entry.minor) = (1, 3)
        #expect(
            try add([device, entry("p", .fifo)]).lines
                == ["d 0755 0:0 dev", "c 0755 0:0 dev/null 1:3", "p 0755 0:0 p"])
    }

    @Test func `leaves out attributes that no layer carries`() throws {
        var file = entry("a")
        file.entry.xattrs = [
            .init(name: Array("user.x".utf8), value: [1]),
            .init(name: Array("trusted.overlay.opaque".utf8), value: [121]),
            .init(name: Array("security.selinux".utf8), value: [1]),
        ]
        #expect(try add([file]).entry("a")?.xattrs.map(\.name) == [Array("user.x".utf8)])
    }
}
