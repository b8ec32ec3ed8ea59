import Archive
import Build
import OCI
import Store
import SystemPackage
import Testing

@Suite struct `The files of an image as one tar` {
    let maker: ImageMaker

    init() throws { maker = try ImageMaker() }

    /// Exports `layers`, and reads the tar by our own reader.
    private func export(_ layers: [[Entry]]) throws -> [String: (entry: TarEntry, text: String)] {
        try export(try maker.image(layers))
    }

    private var path: String { maker.scratch["files.tar"] }

    private func export(_ image: ExportableImage) throws
        -> [String: (entry: TarEntry, text: String)]
    {
        try ImageExporter(store: maker.store).export(
            image, to: ImageOutput(kind: .tar, destination: .path(path), isTar: true))
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        return try file.closeAfter {
            let reader = TarReader(DescriptorSource(file))
            var result: [String: (entry: TarEntry, text: String)] = [:]
            while let entry = try reader.next() {
                let text = String(
                    decoding: try reader.data(of: entry, limit: 1 << 20), as: UTF8.self)
                let name = String(decoding: entry.path, as: UTF8.self)
                #expect(result.updateValue((entry, text), forKey: name) == nil, "\(name) twice")
            }
            return result
        }
    }

    @Test func `has what the uppermost layer says of each path, and no whiteouts`() throws {
        let files = try export([
            [.directory("d"), .file("d/kept", "1"), .file("d/gone", "1"), .file("d/new", "1")],
            [.whiteout("d/.wh.gone"), .file("d/new", "2")],
        ])
        #expect(files.keys.sorted() == ["d", "d/kept", "d/new"])
        #expect(files["d/new"]?.text == "2")
        let listed = Tool.run("tar", "tf", path)
        #expect(listed.status == 0, "\(listed.text)")
        #expect(listed.lines.sorted() == ["d/", "d/kept", "d/new"])
    }

    @Test func `leaves out what an opaque directory hides`() throws {
        let files = try export([
            [.directory("d"), .file("d/old"), .directory("d/sub"), .file("d/sub/old")],
            [.directory("d"), .whiteout("d/.wh..wh..opq"), .file("d/new")],
        ])
        #expect(files.keys.sorted() == ["d", "d/new"])
    }

    @Test func `follows a path from file to directory and back`() throws {
        let toDirectory = try export([
            [.file("x", "1")], [.directory("x"), .file("x/in", "2")],
        ])
        #expect(toDirectory.keys.sorted() == ["x", "x/in"])
        #expect(toDirectory["x"]?.entry.kind == .directory)
        let back = try export([
            [.file("x", "1")], [.directory("x"), .file("x/in", "2")], [.file("x", "3")],
        ])
        #expect(back.keys.sorted() == ["x"])
        #expect(back["x"]?.text == "3")
        let removed = try export([
            [.directory("x"), .file("x/in")], [.whiteout(".wh.x")],
            [.directory("x"), .file("x/b")],
        ])
        #expect(removed.keys.sorted() == ["x", "x/b"])
    }

    @Test func `gives the body to another name where the first one is hidden`() throws {
        let files = try export([
            [
                .file("a", "body"), .hardLink("b", to: "a"), .hardLink("c", to: "b"),
                .file("other", "body"),
            ],
            [.whiteout(".wh.a")],
        ])
        #expect(files.keys.sorted() == ["b", "c", "other"])
        #expect(files["b"]?.entry.kind == .file)
        #expect(files["b"]?.text == "body")
        #expect(files["c"]?.entry.kind == .hardLink)
        #expect(files["c"]?.entry.linkTarget == Array("b".utf8))
        let out = maker.scratch["out"]
        #expect(Tool.run("mkdir", out).status == 0)
        #expect(Tool.run("tar", "xf", path, "-C", out).status == 0)
        #expect(try contents("\(out)/c") == "body")
    }

    @Test func `keeps a link's old body where an upper layer replaced the first name`() throws {
        let files = try export([
            [.directory("d"), .file("d/a", "old"), .hardLink("d/b", to: "d/a")],
            [.file("d/a", "new")],
        ])
        #expect(files["d/b"]?.text == "old")
        #expect(files["d/a"]?.text == "new")
    }

    @Test func `links names of which none is hidden`() throws {
        let files = try export([[.file("a", "x"), .hardLink("b", to: "a")], [.file("z")]])
        #expect(files["b"]?.entry.linkTarget == Array("a".utf8))
    }

    @Test func `keeps owners, modes, attributes and devices`() throws {
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4] + Array(repeating: 0, count: 14)
        let files = try export([
            [
                .directory(".", mode: 0o711),
                Entry.file("su", "x", mode: 0o4755).owned(by: 0, 42)
                    .with(attribute: "security.capability", capability)
                    .with(attribute: "user.note", Array("n".utf8)),
                .device("null", 1, 3), .special("pipe", .fifo, mode: 0o640),
                Entry.symlink("link", to: "/etc/passwd").owned(by: 7, 8),
            ]
        ])
        #expect(files["."]?.entry.mode == 0o711)
        let su = try #require(files["su"]).entry
        #expect(su.mode == 0o4755)
        #expect((su.uid, su.gid) == (0, 42))
        #expect(su.xattrs.map(\.value) == [capability, Array("n".utf8)])
        let null = try #require(files["null"]).entry
        #expect(null.kind == .characterDevice)
        #expect((null.major, null.minor) == (1, 3))
        #expect(files["pipe"]?.entry.kind == .fifo)
        #expect(files["link"]?.entry.uid == 7)
        #expect(Tool.run("tar", "tvf", path).status == 0)
    }

    @Test func `carries long names and names that are no text`() throws {
        let long = Array(repeating: "component-of-a-long-path", count: 20).joined(separator: "/")
        let bytes: [UInt8] = [0xff, 0xfe, 0x20, 0x0a, 0x80]
        var entries: [Entry] = [.file(long, "long"), .file(bytes, "odd")]
        entries.append(.symlink("link", to: long))
        let image = try maker.image([entries])
        let files = try export(image)
        #expect(files[long]?.text == "long")
        #expect(files["link"]?.entry.linkTarget == Array(long.utf8))
        #expect(files.values.contains { $0.entry.path == bytes && $0.text == "odd" })
        #expect(Tool.run("tar", "tf", path).status == 0)
    }

    @Test func `puts a file of an unnamed directory there, where a link was below`() throws {
        // As overlay shows it: the directory that the layer did not name hides the link.
        let files = try export([
            [.directory("usr"), .directory("usr/lib"), .symlink("lib", to: "usr/lib")],
            [.file("lib/new", "1")],
        ])
        #expect(files.keys.sorted() == ["lib/new", "usr", "usr/lib"])
    }

    @Test func `follows a link that the same layer made`() throws {
        let files = try export([
            [.directory("usr"), .symlink("lib", to: "usr"), .file("lib/new", "1")]
        ])
        #expect(files.keys.sorted() == ["lib", "usr", "usr/new"])
    }

    @Test(arguments: [Archive.LayerCompression.none, .zstd(level: 3)])
    func `reads layers of other compressions`(kind: Archive.LayerCompression) throws {
        let layer = try maker.layer([.file("a", "text")], compression: kind)
        #expect(try export(try maker.image([layer]))["a"]?.text == "text")
    }

    @Test func `is refused where an entry leaves the image`() throws {
        #expect(throws: ExportError.self) { try export([[.file("../out", "x")]]) }
        #expect(throws: ExportError.self) {
            try export([[.hardLink("a", to: "../../etc/passwd")]])
        }
        #expect(throws: ExportError.self) { try export([[.hardLink("a", to: "nothing")]]) }
        #expect(Tool.run("ls", "-A", maker.scratch.path).lines == ["store"])
    }

    @Test func `has the same bytes each time`() throws {
        let image = try maker.image([[.file("a", "1")], [.directory("d"), .file("d/b", "2")]])
        _ = try export(image)
        #expect(Tool.run("mv", path, maker.scratch["first"]).status == 0)
        _ = try export(image)
        #expect(Tool.run("cmp", path, maker.scratch["first"]).status == 0)
    }

    @Test func `of a damaged layer ends in an error that names the blob`() throws {
        let image = try maker.image([[.file("a", String(repeating: "text", count: 10_000))]])
        let digest = image.layers[0].blob.digest
        let blob = "\(maker.store.pathForMessages)/blobs/sha256/\(digest.hex)"
        let damage = Tool.run(
            "dd", "if=/dev/zero", "of=\(blob)", "bs=1", "seek=20", "count=40", "conv=notrunc")
        #expect(damage.status == 0)
        do {
            _ = try export(image)
            Issue.record("a damaged layer was exported")
        } catch let error as ExportError {
            guard case .damagedBlob(digest, _) = error.problem else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(Tool.run("ls", "-A", maker.scratch.path).lines == ["store"])
    }
}
