import Archive
import Contexts
import Glibc
import Layers
import Linux
import SystemPackage
import Testing

/// A tar by hand, with what no tool would write.
private struct Tar {
    var bytes: [UInt8] = []

    mutating func entry(
        _ name: String, _ type: Character = "0", _ text: String = "", to link: String = "",
        mode: String = "0000644", announcing size: Int? = nil
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        put(name, at: 0)
        put(mode, at: 100)
        put("0001750", at: 108)
        put("0001750", at: 116)
        put(octal(size ?? text.utf8.count, digits: 11), at: 124)
        put(octal(1_000_000_000, digits: 11), at: 136)
        put(String(type), at: 156)
        put(link, at: 157)
        put("ustar\u{0}00", at: 257)
        put("        ", at: 148)
        put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + "\0", at: 148)
        bytes += block
        if text.isEmpty { return }
        let padding = (512 - text.utf8.count % 512) % 512
        bytes += Array(text.utf8) + [UInt8](repeating: 0, count: padding)
    }

    private func octal(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// With its end, in a file that stands at its beginning.
    func file() throws -> OwnedDescriptor {
        let scratch = Scratch()
        try scratch.file("tar")
        let file = try scratch.root.open("tar", .readWrite)
        try file.borrowed.writeFully(bytes + [UInt8](repeating: 0, count: 1024))
        try file.borrowed.seekAbsolutely(to: 0)
        return file
    }
}

/// A directory that a tar was unpacked into.
private struct Unpacked {
    let scratch = Scratch()
    let tree: ContextTree

    init(_ fill: (inout Tar) -> Void) throws {
        var tar = Tar()
        fill(&tar)
        let file = try tar.file()
        try scratch.directory("tree")
        let root = try scratch.root.open("tree", [.readOnly, .directory])
        let input = try ContextInput(file.borrowed) {}
        let entries = TarReader(try Decompressor(input, limits: ContextLimits.decompression))
        let records = try ArchiveUnpacker.unpack(entries, into: root.borrowed)
        tree = ContextTree(DirectorySource(root), records)
    }

    func text(_ path: String) throws -> String {
        let file = try tree.open(TreePath(path.utf8)!)
        return String(decoding: try file.borrowed.readAll(limit: 1000), as: UTF8.self)
    }

    func status(_ path: String) throws -> FileStatus? { try tree.status(of: TreePath(path.utf8)!) }

    func names(_ path: String = "") throws -> [String] {
        try tree.children(of: TreePath(path.utf8)!).map {
            String(decoding: $0.name, as: UTF8.self)
        }
    }
}

@Suite struct `An archive that is a context` {
    @Test func `has modes and times of its own, readable or not`() throws {
        let unpacked = try Unpacked { tar in
            tar.entry("./", "5", mode: "0000711")
            tar.entry("./d/", "5", mode: "0000111")
            tar.entry("./d/secret", "0", "text", mode: "0004000")
            tar.entry("e/f", "0", "implied")
        }
        #expect(try unpacked.status("")?.permissions == 0o711)
        #expect(try unpacked.status("d")?.permissions == 0o111)
        #expect(try unpacked.status("d/secret")?.permissions == 0o4000)
        #expect(try unpacked.status("d/secret")?.modified == FileTime(seconds: 1_000_000_000))
        #expect(try unpacked.text("d/secret") == "text")
        #expect(try unpacked.status("e")?.permissions == 0o755)
        #expect(try unpacked.names() == ["d", "e"])
    }

    @Test func `has absolute names below itself, and whiteouts as files`() throws {
        let unpacked = try Unpacked { tar in
            tar.entry("/etc/.wh.a", "0", "x")
            tar.entry("etc//.wh..wh..opq", "0", "y")
        }
        #expect(try unpacked.names("etc") == [".wh..wh..opq", ".wh.a"])
        #expect(try unpacked.text("etc/.wh.a") == "x")
    }

    @Test func `keeps links as links, and other names of a file`() throws {
        let unpacked = try Unpacked { tar in
            tar.entry("a", "0", "one", mode: "0000600")
            tar.entry("b", "1", to: "a")
            tar.entry("out", "2", to: "/etc/passwd")
            tar.entry("up", "2", to: "../../x")
            tar.entry("same", "1", to: "out")
        }
        let (a, b) = (
            try #require(try unpacked.status("a")), try #require(try unpacked.status("b"))
        )
        #expect(a.isSameFile(as: b) && b.permissions == 0o600 && b.linkCount == 2)
        #expect(try unpacked.status("out")?.kind == .symbolicLink)
        #expect(try unpacked.tree.linkTarget(of: TreePath("up".utf8)!) == Array("../../x".utf8))
        #expect(try unpacked.status("same")?.kind == .symbolicLink)
    }

    @Test func `has what comes last, where a name comes twice`() throws {
        let unpacked = try Unpacked { tar in
            tar.entry("a", "0", "first", mode: "0000600")
            tar.entry("a", "0", "last")
            tar.entry("l", "2", to: "/etc")
            tar.entry("l", "0", "file")
            tar.entry("d/x", "0", "x")
            tar.entry("d/", "5", mode: "0000700")
        }
        #expect(try unpacked.text("a") == "last")
        #expect(try unpacked.status("a")?.permissions == 0o644)
        #expect(try unpacked.text("l") == "file")
        #expect(try unpacked.status("d")?.permissions == 0o700)
        #expect(try unpacked.names("d") == ["x"])
    }

    @Test func `does not become another file by a new name of an old one`() throws {
        let unpacked = try Unpacked { tar in
            tar.entry("a", "0", "one")
            tar.entry("b", "1", to: "a")
            tar.entry("a", "0", "two")
        }
        #expect(try unpacked.text("a") == "two")
        #expect(try unpacked.text("b") == "one")
    }

    private typealias Case = (name: String, fill: @Sendable (inout Tar) -> Void, words: String)

    private static let hostile: [Case] = [
        ("parent", { $0.entry("../x") }, "leaves the build context"),
        ("inner parent", { $0.entry("a/../../x") }, "leaves the build context"),
        (
            "below a link",
            {
                $0.entry("l", "2", to: "/tmp")
                $0.entry("l/x")
            }, "no directory"
        ),
        (
            "below a link to a directory of its own",
            {
                $0.entry("d/", "5")
                $0.entry("l", "2", to: "d")
                $0.entry("l/e/x")
            }, "no directory"
        ),
        (
            "below a file",
            {
                $0.entry("f")
                $0.entry("f/x")
            }, "no directory"
        ),
        (
            "link in place of a directory",
            {
                $0.entry("d/x")
                $0.entry("d", "2", to: "/tmp")
            }, "a directory before"
        ),
        ("root as a link", { $0.entry("./", "2", to: "/tmp") }, "no directory"),
        ("link out", { $0.entry("x", "1", to: "../../etc/passwd") }, "leaves the build context"),
        ("link to nothing", { $0.entry("x", "1", to: "etc/passwd") }, "does not hold"),
        (
            "link through a link",
            {
                $0.entry("l", "2", to: "/etc")
                $0.entry("x", "1", to: "l/passwd")
            }, "does not hold"
        ),
        (
            "link to a directory",
            {
                $0.entry("d/", "5")
                $0.entry("x", "1", to: "d")
            }, "does not hold"
        ),
        ("character device", { $0.entry("x", "3") }, "a device"),
        ("block device", { $0.entry("x", "4") }, "a device"),
        (
            "too large", { $0.entry("x", announcing: 0o77777777777) },
            "ends early"
        ),
    ]

    @Test(arguments: hostile.indices) func `is refused where it means no good`(index: Int) throws {
        let item = Self.hostile[index]
        let error = try #require(throws: (any Error).self, "\(item.name)") {
            try Unpacked(item.fill)
        }
        #expect("\(error)".contains(item.words), "\(item.name): \(error)")
    }

    @Test func `that is too large is refused before anything is written`() throws {
        // 8 GiB each, 33 times: no data need be there for the sum to be too much, as holes.
        let error = try #require(throws: ContextArchiveError.self) {
            try Unpacked { tar in
                for index in 0...32 { tar.sparse("\(index)", size: 8 << 30) }
            }
        }
        #expect(error.problem == .limit("256 GiB"))
    }

    @Test func `ends when nobody wants it any more`() throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let reading = OwnedDescriptor(owning: ends[0])
        let writing = OwnedDescriptor(owning: ends[1])
        struct Unwanted: Error {}
        var asked = 0
        #expect(throws: Unwanted.self) {
            _ = try ContextInput(reading.borrowed) {
                asked += 1
                if asked > 2 { throw Unwanted() }
            }
        }
        #expect(asked == 3)
        _ = consume writing
    }

    @Test(arguments: [
        (Array("FROM scratch\n".utf8), false), ([], false), ([0x1f, 0x8b, 8, 0], true),
        (Array("BZh91AY".utf8), true), ([0x28, 0xb5, 0x2f, 0xfd], true),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], true), ([UInt8](repeating: 0, count: 1024), true),
        (Array(repeating: UInt8(ascii: "#"), count: 2000), false),
    ]) func `is told from text by its bytes`(bytes: [UInt8], isArchive: Bool) throws {
        let scratch = Scratch()
        try scratch.file("x")
        let file = try scratch.root.open("x", .readWrite)
        try file.borrowed.writeFully(bytes)
        try file.borrowed.seekAbsolutely(to: 0)
        let input = try ContextInput(file.borrowed) {}
        #expect(input.isArchive == isArchive && input.isEmpty == bytes.isEmpty)
        #expect(try input.text(limit: 1500) == Array(bytes.prefix(1500)))
    }
}

extension Tar {
    /// A file that is one hole, as GNU tar writes it with PAX headers.
    fileprivate mutating func sparse(_ name: String, size: Int) {
        let records = [
            ("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.name", name),
            ("GNU.sparse.size", "\(size)"), ("GNU.sparse.numblocks", "1"),
            ("GNU.sparse.map", "\(size),0"),
        ]
        entry("pax", "x", records.map { record($0, $1) }.joined())
        entry(name)
    }

    private func record(_ key: String, _ value: String) -> String {
        let rest = key.utf8.count + value.utf8.count + 3
        var length = rest
        while length != rest + String(length).utf8.count {
            length = rest + String(length).utf8.count
        }
        return "\(length) \(key)=\(value)\n"
    }
}
