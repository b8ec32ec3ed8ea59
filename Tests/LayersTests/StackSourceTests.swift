import Archive
import Layers
import Linux
import SystemPackage
import Testing

/// Layers that were composed and unpacked by tar(1) into trees, as a stage has them.
private final class Stage {
    let scratch = Scratch()
    var stack = LayerStack()
    var trees: [FileDescriptor] = []

    /// Adds a layer: its listing from lines, its tree from a shell.
    func layer(_ lines: [String], _ script: String) throws {
        let name = "layer\(trees.count)"
        Tool.make("mkdir \(name); cd \(name); \(script)", in: scratch.path)
        trees.append(try FileDescriptor.open(FilePath(scratch.path + "/" + name), .readOnly))
        var builder = ListingBuilder()
        for line in lines {
            let (path, entry) = Line.entry(line)
            builder.implyDirectories(above: path)
            builder[path] = entry
        }
        stack.push(try listing(builder))
    }

    deinit { for tree in trees { try? tree.close() } }

    func copy(
        _ words: [String], to destination: String,
        _ attributes: LayerComposer.Attributes = .init()
    ) throws -> [String] {
        let selection = try CopySelection(words, in: StackSource(stack, trees: trees))
        return try compose { try $0.copy(selection, to: destination, attributes) }.lines
    }
}

@Suite struct `A COPY from a stage` {
    private func stage() throws -> Stage {
        let stage = Stage()
        try stage.layer(
            [
                "d 0755 0:0 d", "f 0644 10:20 d/a", "f 0644 11:21 d/b", "d 0700 12:22 d/e",
                "l link -> d/a", "l up -> /../../d",
            ],
            "mkdir -p d/e; echo -n A >d/a; echo -n B >d/b; chmod 700 d/e; ln -s d/a link; ln -s /../../d up"
        )
        try stage.layer(
            ["d 0755 0:0 d", "w d/a", "f 0600 13:23 d/c", "f 0644 0:0 opt/x/y"],
            "mkdir -p d opt/x; echo -n C >d/c; chmod 600 d/c; echo -n Y >opt/x/y")
        return stage
    }

    @Test func `sees the layers as one and keeps owners`() throws {
        #expect(
            try stage().copy(["/d"], to: "/t")
                == ["d 0755 0:0 t", "f 0644 11:21 t/b=B", "f 0600 13:23 t/c=C", "d 0700 12:22 t/e"])
    }

    @Test func `gives all to the owner of --chown`() throws {
        #expect(
            try stage().copy(["d/b"], to: "/t/", .init(owner: .init(uid: 1, gid: 2)))
                == ["d 0755 1:2 t", "f 0644 1:2 t/b=B"])
    }

    @Test func `follows links below the stage's root`() throws {
        #expect(try stage().copy(["up/b"], to: "/") == ["f 0644 11:21 b=B"])
    }

    @Test func `reads two dots at the root as the root`() throws {
        #expect(try stage().copy(["../../d/b"], to: "/") == ["f 0644 11:21 b=B"])
    }

    @Test func `does not see what an upper layer removed`() throws {
        #expect(problem { _ = try stage().copy(["d/a"], to: "/") } == .missingSource)
        #expect(
            problem { _ = try stage().copy(["link"], to: "/") }
                == .brokenLink(link: Array("link".utf8), target: Array("d/a".utf8)))
    }

    @Test func `sees directories that no layer has an entry for`() throws {
        #expect(
            try stage().copy(["opt"], to: "/t/") == [
                "d 0755 0:0 t", "d 0755 0:0 t/x", "f 0644 0:0 t/x/y=Y",
            ])
    }

    @Test func `matches patterns over all layers`() throws {
        #expect(
            try stage().copy(["d/?"], to: "/t/")
                == ["d 0755 0:0 t", "f 0644 11:21 t/b=B", "f 0600 13:23 t/c=C"])
    }

    @Test func `takes the whole root`() throws {
        let lines = try stage().copy(["/"], to: "/t/")
        #expect(lines.contains("l t/link -> d/a"))
        #expect(lines.contains("f 0644 0:0 t/opt/x/y=Y"))
        #expect(!lines.contains { $0.hasSuffix("t/d/a") })
    }

    @Test func `copies the device that a placeholder stands for`() throws {
        let stage = Stage()
        try stage.layer(["c 0620 0:5 tty"], ": >tty")
        let file = try stage.trees[0].open("tty", .readOnly)
        do {
            try file.borrowed.setExtendedAttribute(
                "user.lichen.device".utf8, Array("c5:0:620".utf8))
        } catch {
            return  // This file system has no attributes.
        }
        #expect(
            try stage.copy(["tty"], to: "/dev/") == ["d 0755 0:0 dev", "c 0620 0:5 dev/tty 5:0"])
    }

    @Test func `has another digest for another owner`() throws {
        let one = Stage()
        try one.layer(["f 0644 1:1 a"], ": >a")
        let two = Stage()
        try two.layer(["f 0644 2:1 a"], ": >a")
        #expect(
            try CopySelection(["a"], in: StackSource(one.stack, trees: one.trees)).digest
                != CopySelection(["a"], in: StackSource(two.stack, trees: two.trees)).digest)
    }
}

@Suite struct `A reader of an image's file` {
    private func layer(_ entries: [(String, TarEntry.Kind, String)]) throws -> [UInt8] {
        let sink = MemorySink()
        let tar = TarWriter(to: sink)
        for (path, kind, text) in entries {
            var entry = TarEntry(path: Array(path.utf8), kind: kind)
            if kind == .file { entry.size = Int64(text.utf8.count) }
            if kind == .hardLink || kind == .symlink { entry.linkTarget = Array(text.utf8) }
            try tar.begin(entry)
            if kind == .file { try Array(text.utf8).withUnsafeBytes { try tar.write($0) } }
            try tar.end()
        }
        try tar.finish()
        return sink.bytes
    }

    private func read(_ path: String) throws -> String? {
        let layers = [
            try layer([("./etc/passwd", .file, "old"), ("etc/group", .file, "groups")]),
            try layer([
                ("etc/real", .file, "new"), ("etc/passwd", .hardLink, "etc/real"),
                ("etc/alias", .symlink, "../etc/passwd"),
            ]),
        ]
        let stack = try stack([
            ["d 0755 0:0 etc", "f 0644 0:0 etc/passwd", "f 0644 0:0 etc/group"],
            ["f 0644 0:0 etc/real", "f 0644 0:0 etc/passwd", "l etc/alias -> ../etc/passwd"],
        ])
        let reader = ImageFileReader(stack) { TarReader(MemorySource(layers[$0])) }
        return try reader.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("/etc/passwd", "new"), ("etc/group", "groups"), ("/etc/alias", "new"),
    ])
    func `finds it in its topmost layer`(path: String, text: String) throws {
        #expect(try read(path) == text)
    }

    @Test(arguments: ["/etc/shadow", "/etc", "/etc/group/x"])
    func `has nothing where there is no file`(path: String) throws {
        #expect(try read(path) == nil)
    }
}
