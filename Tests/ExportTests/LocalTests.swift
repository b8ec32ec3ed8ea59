import Archive
import Build
import Linux
import Store
import Synchronization
import SystemPackage
import Testing

@Suite struct `The files of an image in a directory` {
    let maker: ImageMaker
    let path: String

    init() throws {
        maker = try ImageMaker()
        path = maker.scratch["out"]
    }

    /// Exports `layers`; the notices that came.
    @discardableResult
    private func export(_ layers: [[Entry]]) throws -> [String] {
        let image = try maker.image(layers)
        let notices = Notices()
        try ImageExporter(store: maker.store, notice: { notices.add($0) }).export(
            image, to: ImageOutput(kind: .local, destination: .path(path), isTar: false))
        return notices.all
    }

    private final class Notices: Sendable {
        private let sentences = Mutex<[String]>([])
        var all: [String] { sentences.withLock { $0 } }
        func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
    }

    private func status(_ name: String) throws -> FileStatus {
        try FileDescriptor.workingDirectory.status(of: "\(path)/\(name)".utf8)
    }

    @Test func `are those of the merged layers, with modes and times`() throws {
        let notices = try export([
            [
                .directory("d", mode: 0o555), .file("d/a", "1", mode: 0o640), .file("d/gone"),
                .symlink("d/link", to: "/etc/passwd"), .special("d/pipe", .fifo, mode: 0o600),
            ],
            [.whiteout("d/.wh.gone"), .file("d/b", "2"), .hardLink("d/c", to: "d/b")],
        ])
        #expect(notices == [])
        #expect(Tool.run("ls", "-A", "\(path)/d").lines == ["a", "b", "c", "link", "pipe"])
        #expect(try status("d").permissions == 0o755)
        #expect(try status("d").modified.seconds == 1_600_000_000)
        #expect(try status("d/a").permissions == 0o640)
        #expect(try status("d/a").modified.seconds == 1_600_000_000)
        #expect(try status("d/b").isSameFile(as: status("d/c")))
        #expect(Tool.run("readlink", "\(path)/d/link").lines == ["/etc/passwd"])
        #expect(try status("d/pipe").kind == .fifo)
        #expect(Tool.run("rm", "-rf", path).status == 0)
        #expect(Tool.run("ls", "-A", maker.scratch.path).lines == ["store"])
    }

    @Test func `go without devices, setuid, owners and capabilities, and say so`() throws {
        let notices = try export([
            [
                .device("null", 1, 3), .hardLink("zero", to: "null"),
                Entry.file("su", "x", mode: 0o6755).owned(by: 0, 42)
                    .with(
                        attribute: "security.capability",
                        [1, 0, 0, 2] + Array(repeating: 1, count: 16)),
                .directory("shared", mode: 0o3777),
            ]
        ])
        #expect(
            notices == [
                "\(path) goes without 2 device nodes, 2 setuid or setgid bits, 1 foreign owners,"
                    + " 1 extended attributes of the image"
            ])
        #expect(Tool.run("ls", "-A", path).lines == ["shared", "su"])
        #expect(try status("su").permissions == 0o755)
        #expect(try status("shared").permissions == 0o1777)
        #expect(try status("su").uid == FileDescriptor.workingDirectory.status(of: path.utf8).uid)
    }

    @Test func `keep the attributes that a user may set`() throws {
        try export([
            [
                Entry.file("a", "1", mode: 0o400).with(attribute: "user.note", Array("n".utf8)),
                Entry.directory("d").with(attribute: "user.note", Array("m".utf8)),
            ]
        ])
        for (name, value) in [("a", "n"), ("d", "m")] {
            let file = try FileDescriptor.workingDirectory.open(
                "\(path)/\(name)", .readOnly, resolve: .system)
            #expect(try file.borrowed.extendedAttribute("user.note") == Array(value.utf8))
        }
    }

    @Test func `are made where a directory comes after what is in it`() throws {
        try export([[.directory("d"), .file("d/a", "1")], [.directory("d", mode: 0o711)]])
        #expect(try status("d").permissions == 0o711)
        #expect(try contents("\(path)/d/a") == "1")
    }

    @Test func `keep a body whose first name is hidden`() throws {
        try export([[.file("a", "body"), .hardLink("b", to: "a")], [.whiteout(".wh.a")]])
        #expect(try contents("\(path)/b") == "body")
    }

    @Test func `carry names that are no text`() throws {
        let name: [UInt8] = [0xff, 0x0a, 0x80]
        try export([[.file(name, "odd")]])
        let directory = try FileDescriptor.workingDirectory.open(path, .readOnly, resolve: .system)
        #expect(try DirectoryReader().names(in: directory.borrowed) == [name])
    }

    @Test func `never go into a directory that holds something`() throws {
        #expect(Tool.run("mkdir", path).status == 0)
        try write("mine", to: "\(path)/notes")
        #expect(
            throws: ExportError(.notEmpty(path), hint: "name a new directory, or empty this one")
        ) {
            try export([[.file("a")]])
        }
        #expect(Tool.run("ls", "-A", path).lines == ["notes"])
    }

    @Test func `fill an empty directory, and leave it empty when that fails`() throws {
        #expect(Tool.run("mkdir", path).status == 0)
        #expect(throws: ExportError.self) { try export([[.file("a")], [.file("../b")]]) }
        #expect(Tool.run("ls", "-A", path).lines == [])
        try export([[.file("a")]])
        #expect(Tool.run("ls", "-A", path).lines == ["a"])
    }

    /// Ways by which archives have written outside of where they were unpacked. `canary` stands beside the output.
    @Test(arguments: [
        // By a link of the same layer, of a lower one, through two, to a directory and over a file.
        [[Entry.symlink("l", to: "../canary"), .file("l", "evil")]],
        [[.symlink("l", to: "../canary")], [.file("l", "evil")]],
        [[.symlink("l", to: "..")], [.file("l/canary", "evil")]],
        [[.symlink("l", to: ".."), .file("l/canary", "evil")]],
        [[.directory("a"), .symlink("a/l", to: "../..")], [.file("a/l/canary", "evil")]],
        [[.symlink("l", to: "..")], [.directory("l"), .file("l/canary", "evil")]],
        // By a hard link, to the outside itself or to a link that leads there.
        [[.symlink("l", to: "../canary"), .hardLink("h", to: "l"), .file("h", "evil")]],
        [[.symlink("l", to: ".."), .hardLink("h", to: "l/canary"), .file("h", "evil")]],
        [[.hardLink("h", to: "../canary"), .file("h", "evil")]],
        [[.file("/../canary", "evil")]], [[.file("a/../../canary", "evil")]],
        // By the mode or time of a link.
        [[.symlink("l", to: "../canary")], [.special("l", .fifo, mode: 0o777)]],
        [[.directory("l"), .symlink("l", to: ".."), .directory("l", mode: 0o777)]],
    ])
    func `stay inside, whatever the image says`(layers: [[Entry]]) throws {
        let canary = maker.scratch["canary"]
        try write("alive", to: canary)
        let before = try FileDescriptor.workingDirectory.status(of: canary.utf8)
        // Some are refused, others mean something harmless: both are right.
        _ = try? export(layers)
        #expect(try contents(canary) == "alive")
        let after = try FileDescriptor.workingDirectory.status(of: canary.utf8)
        #expect(after.changed == before.changed)
        let names = Set(Tool.run("ls", "-A", maker.scratch.path).lines)
        #expect(names.isSubset(of: ["canary", "out", "store"]))
    }
}
