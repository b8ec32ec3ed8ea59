import Archive
import Glibc
import SystemPackage
import Testing

@Suite struct `A tar writer` {
    /// A change here changes the digest of every layer.
    @Test func `writes these bytes for these entries`() throws {
        var plain = file("etc/hostname", Array("lichen\n".utf8))
        plain.entry.modified = TarEntry.Time(seconds: 1_700_000_000, nanoseconds: 999)
        let bytes = try tar([plain])
        #expect(bytes.count == 2048)
        #expect(Array(bytes[..<12]) == Array("etc/hostname".utf8))
        #expect(
            Array(bytes[100..<157])
                == Array(
                    "0000644\u{0}0000000\u{0}0000000\u{0}00000000007\u{0}14524770400\u{0}011560\u{0} 0"
                        .utf8))
        #expect(Array(bytes[257..<265]) == Array("ustar\u{0}00".utf8))
        #expect(bytes[265..<329].allSatisfy { $0 == 0 })
        #expect(Array(bytes[329..<345]) == Array("0000000\u{0}0000000\u{0}".utf8))
        #expect(bytes[345..<512].allSatisfy { $0 == 0 })
        #expect(Array(bytes[512..<519]) == Array("lichen\n".utf8))
        #expect(bytes[519...].allSatisfy { $0 == 0 })
    }

    @Test func `writes PAX headers only for what ustar can't say, in a fixed order`() throws {
        var entry = TarEntry(path: [UInt8](repeating: 0xfe, count: 101), kind: .symlink)
        entry.linkTarget = [UInt8](repeating: 97, count: 101)
        entry.uid = 3_000_000
        entry.gid = 3_000_001
        entry.modified.seconds = -1
        entry.xattrs = ["b", "a"].map {
            TarEntry.Xattr(name: Array("user.\($0)".utf8), value: [0, 1])
        }
        let bytes = try tar([(entry, [])])
        let keys = bytes[512..<1024].split(separator: 10).compactMap { record in
            record.firstIndex(of: 0x20).map { space in
                String(
                    decoding: record[(space + 1)...].prefix { $0 != 0x3d }, as: UTF8.self)
            }
        }
        #expect(
            keys == [
                "SCHILY.xattr.user.a", "SCHILY.xattr.user.b", "gid", "hdrcharset", "linkpath",
                "mtime", "path", "uid",
            ])
        #expect(try tar([file([UInt8](repeating: 0xfe, count: 100))]).count == 1536)
    }

    @Test func `announces files from 8 GiB`() throws {
        var entry = TarEntry(path: Array("big".utf8), kind: .file)
        for (size, blocks) in [((1 << 33) - 1, 1), (1 << 33, 3)] {
            entry.size = Int64(size)
            let sink = MemorySink()
            let buffer = BufferingSink(sink, capacity: 512)
            let writer = TarWriter(to: buffer)
            try writer.begin(entry)
            #expect(sink.bytes.count == 512 * blocks)
            let end = [UInt8](repeating: 0, count: 1024)
            #expect(
                problem { _ = try TarReader(MemorySource(sink.bytes + end)).next() } == nil)
            #expect(try TarReader(MemorySource(sink.bytes)).next()?.size == Int64(size))
        }
    }

    @Test func `refuses an entry whose data is not as long as it said`() throws {
        for (announced, given) in [(3, 2), (3, 4), (0, 1)] {
            var entry = file("x").entry
            entry.size = Int64(announced)
            let writer = TarWriter(to: MemorySink())
            try writer.begin(entry)
            let data = [UInt8](repeating: 1, count: given)
            #expect(
                problem {
                    try data.withUnsafeBytes { try writer.write($0) }
                    try writer.end()
                } == .wrongSize(declared: Int64(announced), actual: Int64(given)))
        }
    }

    @Test func `refuses what no tar can carry`() {
        func refused(_ edit: (inout TarEntry) -> Void) -> Bool {
            var entry = file("x").entry
            edit(&entry)
            return problem { _ = try tar([(entry, [])]) } != nil
        }
        #expect(!refused { _ in })
        #expect(refused { $0.path = [] })
        #expect(refused { $0.path = [97, 0] })
        #expect(refused { $0.path = [UInt8](repeating: 97, count: 256) })
        #expect(refused { $0.path = Array("f/".utf8) })
        #expect(refused { $0.kind = .symlink })
        #expect(refused { $0.linkTarget = [97] })
        #expect(refused { $0.mode = 0o10000 })
        #expect(refused { $0.uid = .max })
        #expect(refused { $0.size = -1 })
        #expect(refused { $0.xattrs = [TarEntry.Xattr(name: Array("a=b".utf8), value: [])] })
    }

    @Test func `reads a file straight into its sink, and notices when it is too short`() throws {
        let scratch = Scratch()
        var noise = Noise(2)
        let data = noise.text(1_200_000)
        let path = try scratch.file("x", data)
        let descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
        defer { close(descriptor.rawValue) }
        let sink = MemorySink()
        let writer = TarWriter(to: try GzipBlockWriter(to: sink, threads: 2))
        try writer.begin(file("x", data).entry)
        try writer.writeContents(of: descriptor)
        try writer.end()
        var hole = file("hole").entry
        hole.size = 1_000_000
        try writer.begin(hole)
        try writer.writeZeros(1_000_000)
        try writer.end()
        try writer.finish()
        let plain = try all(Decompressor(MemorySource(sink.bytes)))
        #expect(Int64(plain.count) == writer.count)
        let found = try entries(of: plain)
        #expect(found.map(\.data) == [data, [UInt8](repeating: 0, count: 1_000_000)])

        try writer.begin(file("short", [1]).entry)
        #expect(
            problem { try writer.writeContents(of: descriptor) }
                == .wrongSize(declared: 1, actual: 0))
    }
}
