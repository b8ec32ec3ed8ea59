import Archive
import Contexts
import Layers
import Linux
import OCI
import Synchronization
import Testing

@Suite struct `The digest of a selection` {
    private func digest(_ script: String, _ words: [String] = ["."]) throws -> Digest {
        let scratch = Scratch()
        Tool.make(script, in: scratch.path)
        return try CopySelection(words, in: try context(scratch)).digest
    }

    private let base = "mkdir d; echo one >d/a; echo two >d/b; ln -s a d/l"

    @Test(arguments: [
        "touch -d @1 d/a d/b d d/l",
        "rm -r d; mkdir d; ln -s a d/l; echo two >d/b; echo one >d/a",
        "touch d/c; rm d/c",
        "chmod 700 .",
    ])
    func `is the same for other times and another order`(change: String) throws {
        #expect(try digest(base) == digest(base + "; " + change))
    }

    @Test(arguments: [
        "mv d/a d/A", "mv d e", "chmod +x d/a", "chmod 700 d", "echo ONE >d/a",
        "ln -sfn b d/l", "rm d/l; echo -n a >d/l", "rm d/b; ln d/a d/b", "rm d/b; mkdir d/b",
        "rm d/b; mkfifo d/b", ": >d/c", "rm d/a", "mkdir e",
    ])
    func `is another for another name, kind, mode, target or content`(change: String) throws {
        #expect(try digest(base) != digest(base + "; " + change))
    }

    @Test func `is another for the same bytes split in another way`() throws {
        #expect(try digest("echo -n ab >a; echo -n c >b") != digest("echo -n a >a; echo -n bc >b"))
        #expect(try digest("mkdir a; : >a/b; : >c") != digest("mkdir a; : >a/c; : >b"))
        #expect(try digest("mkdir a; : >a/b") != digest("mkdir a; : >b"))
        let files = "echo -n x >a; echo -n x >b"
        #expect(try digest(files, ["a", "b"]) != digest(files, ["a"]))
        #expect(try digest(files, ["a", "b"]) != digest(files, ["b", "a"]))
        #expect(try digest(files, ["?"]) != digest(files, ["a", "b"]))
    }

    @Test func `is the same for the mode of a directory that is named itself`() throws {
        #expect(
            try digest("mkdir -m 755 d; : >d/a", ["d"]) == digest("mkdir -m 700 d; : >d/a", ["d"]))
    }

    @Test func `is another for another attribute that a layer carries`() throws {
        let scratch = Scratch()
        Tool.make(": >a", in: scratch.path)
        let before = try CopySelection(["a"], in: try context(scratch)).digest
        let file = try scratch.root.open("a", .readOnly)
        do { try file.borrowed.setExtendedAttribute("user.note".utf8, [1]) } catch {
            return  // This file system has none.
        }
        #expect(try CopySelection(["a"], in: try context(scratch)).digest != before)
    }

    @Test func `does not look at files that are not named`() throws {
        #expect(try digest(": >a; : >b", ["a"]) == digest(": >a; echo x >b", ["a"]))
    }

    /// A store that answers what it was told, and counts.
    private final class Memory: ContentDigests, Sendable {
        let known = Mutex<[UInt64: KnownContent]>([:])
        let asked = Mutex(0)
        func content(of status: FileStatus) -> KnownContent? {
            asked.withLock { $0 += 1 }
            return known.withLock { $0[status.inode] }
        }
        func remember(_ content: KnownContent, of status: FileStatus, readAt time: FileTime) {
            known.withLock { $0[status.inode] = content }
        }
    }

    @Test func `is the same with remembered digests`() throws {
        let scratch = Scratch()
        Tool.make(base, in: scratch.path)
        let memory = Memory()
        let first = try CopySelection(["."], in: try context(scratch), digests: memory)
        #expect(memory.known.withLock { $0.count } == 2)
        let second = try CopySelection(["."], in: try context(scratch), digests: memory)
        #expect(first.digest == second.digest)
        #expect(memory.asked.withLock { $0 } == 4)
        // What is remembered is believed.
        let other = KnownContent(
            digest: Digest(sha256: [UInt8](repeating: 0, count: 32)), hasAttributes: false)
        memory.known.withLock { $0 = $0.mapValues { _ in other } }
        let third = try CopySelection(["."], in: try context(scratch), digests: memory)
        #expect(first.digest != third.digest)
    }

    @Test func `has the attributes of files whose digests are remembered`() throws {
        let scratch = Scratch()
        Tool.make(": >a; : >b", in: scratch.path)
        let file = try scratch.root.open("a", .readOnly)
        do { try file.borrowed.setExtendedAttribute("user.note".utf8, [1]) } catch {
            return  // This file system has none.
        }
        let memory = Memory()
        let first = try CopySelection(["."], in: try context(scratch), digests: memory)
        let marked = memory.known.withLock { $0.values.filter(\.hasAttributes).count }
        #expect(marked == 1)
        let second = try CopySelection(["."], in: try context(scratch), digests: memory)
        #expect(first.digest == second.digest)
    }
}

@Suite struct `Names of any bytes` {
    @Test func `are found, digested and written as they are`() throws {
        let scratch = Scratch()
        let name: [UInt8] = [0x61, 0xff, 0xfe, 0x0a]
        let file = try scratch.root.open(name, [.writeOnly, .create], mode: 0o644)
        try file.borrowed.writeFully(Array("x".utf8))
        let selection = try CopySelection(["a*"], in: try context(scratch))
        let layer = try compose { try $0.copy(selection, to: "/t/") }
        #expect(layer.entries.map { $0.entry.path } == [Array("t".utf8), Array("t/".utf8) + name])
        let whole = try CopySelection(["."], in: try context(scratch))
        #expect(try compose { try $0.copy(whole, to: "/") }.entries.map { $0.entry.path } == [name])
    }
}
