import Archive
import Contexts
import Layers
import Linux
import SystemPackage
import Testing

@Suite struct `The layer of a COPY` {
    private func layer(_ script: String, latest: Int64? = nil, now: Int64 = 5000) throws -> Layer {
        let scratch = Scratch()
        Tool.make(script, in: scratch.path)
        let selection = try CopySelection(["."], in: try context(scratch))
        return try compose(latest: latest, now: now) { try $0.copy(selection, to: "/t/") }
    }

    @Test func `keeps the times of sources in seconds and gives made directories the build's`()
        throws
    {
        let layer = try layer("echo x >a; touch -d @1234.9 a; mkdir d; touch -d @99 d")
        #expect(layer.entry("t")?.modified == .init(seconds: 5000))
        #expect(layer.entry("t/a")?.modified == .init(seconds: 1234))
        #expect(layer.entry("t/d")?.modified == .init(seconds: 99))
    }

    @Test func `sets later times back to the epoch and leaves earlier ones`() throws {
        let layer = try layer(": >a; touch -d @3000 a; : >b; touch -d @10 b", latest: 2000)
        #expect(layer.entry("t")?.modified == .init(seconds: 2000))
        #expect(layer.entry("t/a")?.modified == .init(seconds: 2000))
        #expect(layer.entry("t/b")?.modified == .init(seconds: 10))
    }

    @Test func `keeps the time of a directory that exists`() throws {
        let scratch = Scratch()
        Tool.make(": >a", in: scratch.path)
        let selection = try CopySelection(["a"], in: try context(scratch))
        let layer = try compose(on: try stack([["d 0755 0:0 t"]])) {
            try $0.copy(selection, to: "/t/")
        }
        #expect(layer.entry("t")?.modified == .init(seconds: 1000))
    }

    @Test func `is the same bytes from another checkout`() throws {
        let make = "mkdir d; echo 1 >d/b; echo 2 >d/a; ln d/a d/c; ln -s x d/l"
        let times = "; touch -h -d @77 d/l d/a d/b d"
        let other = "mkdir d; ln -s x d/l; echo 2 >d/c; ln d/c d/a; echo 1 >d/b"
        #expect(try layer(make + times).bytes == layer(other + times).bytes)
    }

    @Test func `keeps attributes of users and not access lists of the host`() throws {
        let scratch = Scratch()
        Tool.make(": >a", in: scratch.path)
        let file = try scratch.root.open(Array("a".utf8), .readOnly)
        do { try file.borrowed.setExtendedAttribute("user.note".utf8, Array("x".utf8)) } catch {
            return  // This file system has none.
        }
        _ = Tool.run("setfacl", "-m", "u:1:r", scratch.path + "/a")
        let selection = try CopySelection(["a"], in: try context(scratch))
        let layer = try compose { try $0.copy(selection, to: "/") }
        #expect(
            layer.entry("a")?.xattrs
                == [.init(name: Array("user.note".utf8), value: Array("x".utf8))])
    }

    @Test func `is read by GNU tar as it was written`() throws {
        let scratch = Scratch()
        Tool.make(
            """
            mkdir -p in/d/e; echo one >in/d/a; ln in/d/a in/d/e/b; ln -s a in/d/l; mkfifo in/d/p
            chmod 4755 in/d/a; n=$(printf 'n%.0s' $(seq 1 200)); echo long >in/d/$n
            """, in: scratch.path)
        let selection = try CopySelection(["in"], in: try context(scratch))
        let layer = try compose { try $0.copy(selection, to: "/t/") }
        let file = try scratch.root.open("l.tar", [.writeOnly, .create], mode: 0o600)
        try file.borrowed.writeFully(layer.bytes)
        Tool.make(
            """
            mkdir out; tar -xpf l.tar -C out; diff -r --no-dereference -x p in/d out/t/d
            test -p out/t/d/p; test out/t/d/a -ef out/t/d/e/b; test "$(readlink out/t/d/l)" = a
            test "$(stat -c %a out/t/d/a)" = 4755
            tar -tf l.tar | LC_ALL=C sort -c -t/
            """, in: scratch.path)
    }

    @Test func `can be the parent of the next`() throws {
        let scratch = Scratch()
        Tool.make("mkdir -p d/e; : >d/e/a; : >b", in: scratch.path)
        let source = try context(scratch)
        let first = try compose { try $0.copy(CopySelection(["d"], in: source), to: "/t/") }
        var parent = LayerStack()
        parent.push(try listing(first.listing))
        let second = try compose(on: parent) {
            try $0.copy(CopySelection(["b"], in: source), to: "/t/e")
        }
        #expect(second.lines == ["d 0755 0:0 t", "d 0755 0:0 t/e", "f 0644 0:0 t/e/b"])
    }
}

@Suite struct `A WORKDIR` {
    private func lines(
        _ path: String, on parent: [[String]], owner: LayerComposer.Attributes.Owner? = nil
    ) throws -> [String] {
        try compose(on: try stack(parent)) { try $0.makeDirectories(path, owner: owner) }.lines
    }

    @Test func `makes the directories that are missing`() throws {
        #expect(
            try lines("/srv/app/x", on: [["d 0750 4:4 srv"]], owner: .init(uid: 8, gid: 9))
                == ["d 0750 4:4 srv", "d 0755 8:9 srv/app", "d 0755 8:9 srv/app/x"])
    }

    @Test func `adds nothing where it exists`() throws {
        #expect(try lines("/srv", on: [["d 0750 4:4 srv"]]) == [])
        #expect(try lines("/", on: []) == [])
    }

    @Test func `follows links of the image`() throws {
        #expect(
            try lines("/run/x", on: [["l run -> var/run", "d 0755 0:0 var", "d 0755 0:0 var/run"]])
                == ["d 0755 0:0 var", "d 0755 0:0 var/run", "d 0755 0:0 var/run/x"])
    }

    @Test func `can't be a file`() throws {
        #expect(problem { _ = try lines("/srv", on: [["f 0644 0:0 srv"]]) } == .notDirectory)
    }
}
