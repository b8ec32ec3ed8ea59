import SystemPackage
import Testing

@testable import Archive

/// What one process reads of an archive, on its way to another.
@Suite struct `A stream of entries` {
    private static func sent(_ tar: RawTar) throws -> [UInt8] {
        let sink = MemorySink()
        try EntryStreamWriter(sink).send { TarReader(MemorySource(tar.bytes)) }
        return sink.bytes
    }

    private struct Read: Equatable {
        var entry: TarEntry
        var data: [UInt8]
        var count: Int
    }

    private static func all(of reader: any EntryReader) throws -> [Read] {
        var result: [Read] = []
        while var entry = try reader.next() {
            entry.regions = nil
            var data = [UInt8](repeating: 0, count: Int(entry.kind == .file ? entry.size : 0))
            while let (offset, bytes) = try reader.nextBlock() {
                data.withUnsafeMutableBytes { $0[Int(offset)...].copyBytes(from: bytes) }
            }
            result.append(Read(entry: entry, data: data, count: reader.count))
        }
        return result
    }

    private static var example: RawTar {
        var tar = RawTar()
        tar.pax([("path", "p\u{e9}"), ("SCHILY.xattr.user.a", "\u{0}\u{1}"), ("mtime", "-1.25")])
        tar.header("x", size: 5)
        tar.data(Array("hello".utf8))
        tar.header("d/", type: "5")
        tar.header("big", size: 300_000)
        tar.data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        tar.header("h", type: "1") { $0.replaceSubrange(157..<160, with: Array("big".utf8)) }
        tar.bytes += [UInt8](repeating: 0, count: 1024)
        return tar
    }

    @Test func `has all that the archive says`() throws {
        let tar = Self.example
        let expected = try Self.all(of: TarReader(MemorySource(tar.bytes)))
        #expect(expected.count == 4)
        let reader = EntryStreamReader(MemorySource(try Self.sent(tar)))
        #expect(try Self.all(of: reader) == expected)
    }

    @Test func `ends with the archive's own error, also in the middle of a file`() throws {
        var tar = RawTar()
        tar.header("x", size: 1 << 32)
        tar.data([1, 2, 3])
        let expected = #expect(throws: ArchiveError.self) {
            try Self.all(of: TruncatedFile(TarReader(MemorySource(tar.bytes))))
        }
        let reader = EntryStreamReader(MemorySource(try Self.sent(tar)))
        #expect(try reader.next()?.size == 1 << 32)
        let actual = #expect(throws: ArchiveError.self) { while try reader.nextBlock() != nil {} }
        #expect(actual == expected)
        #expect(actual?.problem == .truncated)
        #expect(throws: ArchiveError.self) { try reader.next() }
    }

    /// Reads the first file without room for all of it.
    private final class TruncatedFile: EntryReader {
        private let reader: TarReader
        init(_ reader: TarReader) { self.reader = reader }
        var count: Int { reader.count }
        func next() throws -> TarEntry? {
            var entry = try reader.next()
            entry?.size = 512
            return entry
        }
        func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
            try reader.nextBlock()
        }
    }

    @Test func `that is cut off is no archive`() throws {
        let bytes = try Self.sent(Self.example)
        for count in stride(from: 0, to: bytes.count, by: 997) {
            #expect(throws: EntryStreamError.ended) {
                try Self.all(of: EntryStreamReader(MemorySource(Array(bytes[..<count]))))
            }
        }
    }

    /// Whoever took the reader over can write anything; nothing traps, and no more comes out than an archive may have.
    @Test func `of another's making is refused or harmless`() throws {
        let bytes = try Self.sent(Self.example).prefix(2000)
        var state: UInt64 = 5
        for _ in 0..<4000 {
            var changed = Array(bytes)
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                changed[Int(state >> 33) % 200] = UInt8(truncatingIfNeeded: state >> 20)
            }
            let reader = EntryStreamReader(MemorySource(changed))
            do {
                while let entry = try reader.next() {
                    #expect(entry.mode <= 0o7777 && entry.size >= 0 && !entry.path.contains(0))
                    var end: Int64 = 0
                    while let (offset, block) = try reader.nextBlock() {
                        #expect(offset >= end && offset + Int64(block.count) <= entry.size)
                        end = offset + Int64(block.count)
                    }
                }
            } catch is EntryStreamError {} catch is ArchiveError {}
        }
    }

    @Test func `carries every error as it is`() throws {
        let problems: [ArchiveError.Problem] = [
            .truncated, .corrupt("c"), .unsupported("u"), .limit("l", -3), .unwritable("w"),
            .wrongSize(declared: 1, actual: 2), .system(step: "read", .ioError), .library("x"),
        ]
        for problem in problems {
            for (format, offset, entry) in [
                (ArchiveFormat.zstd, 7, [UInt8]()), (nil, nil, nil), (.tar, 0, [0xff]),
            ] as [(ArchiveFormat?, Int64?, [UInt8]?)] {
                let error = ArchiveError(problem, format: format, offset: offset, entry: entry)
                let sink = MemorySink()
                try EntryStreamWriter(sink).send { throw error }
                let reader = EntryStreamReader(MemorySource(sink.bytes))
                #expect(throws: error) { try reader.next() }
            }
        }
    }
}
