import Contexts
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@Suite struct `Remembered digests` {
    private let content = KnownContent(
        digest: Digest(sha256: [UInt8](repeating: 7, count: 32)), hasAttributes: false)

    /// A file, and a time at which its own are long past.
    private func file(_ scratch: Scratch) throws -> (status: FileStatus, later: FileTime) {
        try scratch.file("a", "text")
        let status = try scratch.root.status(of: "a".utf8)
        return (status, FileTime(seconds: status.changed.seconds + 10))
    }

    @Test func `outlive the build`() throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        #expect(cache.content(of: status) == nil)
        cache.remember(content, of: status, readAt: later)
        #expect(cache.content(of: status) == content)
        try cache.save()
        #expect(ContentDigestCache(in: scratch.root).content(of: status) == content)
    }

    @Test func `say whether attributes have to be read`() throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        var marked = content
        marked.hasAttributes = true
        cache.remember(marked, of: status, readAt: later)
        try cache.save()
        #expect(ContentDigestCache(in: scratch.root).content(of: status) == marked)
    }

    @Test func `are found among many`() throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        var files: [FileStatus] = []
        for number in 0..<100 {
            var other = status
            other.inode = UInt64(number * 7919 % 100) << 40
            other.modified.nanoseconds = UInt32(number)
            files.append(other)
            let bytes = [UInt8](repeating: UInt8(number), count: 32)
            cache.remember(
                KnownContent(digest: Digest(sha256: bytes), hasAttributes: false), of: other,
                readAt: later)
        }
        try cache.save()
        let again = ContentDigestCache(in: scratch.root)
        for (number, other) in files.enumerated() {
            #expect(again.content(of: other)?.digest.bytes.first == UInt8(number))
        }
        #expect(again.content(of: status) == nil)
    }

    @Test(arguments: [0, 1, 2] as [Int64])
    func `are not of files that changed just now`(seconds: Int64) throws {
        let scratch = Scratch()
        let (status, _) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        let time = FileTime(seconds: status.changed.seconds + seconds)
        cache.remember(content, of: status, readAt: time)
        #expect(cache.content(of: status) == nil)
    }

    @Test func `are of the very file`() throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        cache.remember(content, of: status, readAt: later)
        for change: (inout FileStatus) -> Void in [
            { $0.inode += 1 }, { $0.size += 1 }, { $0.device.minor += 1 },
            { $0.modified.nanoseconds ^= 1 }, { $0.modified.seconds -= 1 },
            { $0.changed.nanoseconds ^= 1 }, { $0.changed.seconds -= 1 },
        ] {
            var other = status
            change(&other)
            #expect(cache.content(of: other) == nil)
        }
    }

    @Test func `of two builds at once are both kept`() throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        var other = status
        other.inode += 1
        let (one, two) = (
            ContentDigestCache(in: scratch.root), ContentDigestCache(in: scratch.root)
        )
        one.remember(content, of: status, readAt: later)
        two.remember(content, of: other, readAt: later)
        try one.save()
        try two.save()
        let third = ContentDigestCache(in: scratch.root)
        #expect(third.content(of: status) == content)
        #expect(third.content(of: other) == content)
    }

    @Test(arguments: [0, 5, 20, 60, 100])
    func `are forgotten where the file is damaged`(position: Int) throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        cache.remember(content, of: status, readAt: later)
        try cache.save()
        let file = try scratch.root.open("digests", .readWrite)
        try file.borrowed.seekAbsolutely(to: Int64(position))
        try file.borrowed.writeFully([0xA5])
        let damaged = ContentDigestCache(in: scratch.root)
        #expect(damaged.content(of: status) == nil)
        damaged.remember(content, of: status, readAt: later)
        try damaged.save()
        #expect(ContentDigestCache(in: scratch.root).content(of: status) == content)
    }

    @Test func `leave one file behind`() throws {
        let scratch = Scratch()
        let (status, later) = try file(scratch)
        let cache = ContentDigestCache(in: scratch.root)
        try cache.save()
        cache.remember(content, of: status, readAt: later)
        try cache.save()
        #expect(
            try DirectoryReader().names(in: scratch.root).map {
                String(decoding: $0, as: UTF8.self)
            }
                == ["a", "digests"])
    }
}
