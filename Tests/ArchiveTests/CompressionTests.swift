@testable import Archive
import SystemPackage
import Testing

@Suite struct `A gzip writer` {
    static let text: [UInt8] = {
        var noise = Noise(7)
        return noise.text(3_000_000)
    }()

    @Test(arguments: [0, 1, 511, 524_287, 524_288, 524_289, 3_000_000])
    func `gives the same bytes with any number of threads`(count: Int) throws {
        let input = Array(Self.text.prefix(count))
        let one = try gzipped(input, threads: 1)
        #expect(try gzipped(input, threads: 2) == one)
        #expect(try gzipped(input, threads: 4) == one)
        #expect(try all(Decompressor(MemorySource(one))) == input)
    }

    @Test func `gives the same bytes where no thread is to be had`() throws {
        let sink = MemorySink()
        let ring = try GzipRing(sink, level: 1, workers: 1)
        ring.workInline()
        var rest = Self.text[...]
        while !rest.isEmpty {
            let slot = try ring.claim()
            let block = rest.prefix(ring.input(of: slot).count)
            ring.input(of: slot).copyBytes(from: block)
            ring.submit(slot, count: block.count)
            rest = rest.dropFirst(block.count)
        }
        try ring.drain()
        #expect(try gzipped(Self.text) == sink.bytes)
    }

    @Test func `satisfies gzip and zcat`() throws {
        let scratch = Scratch()
        let file = try scratch.file("x.gz", gzipped(Self.text))
        #expect(Tool.run("gzip", "-t", file).status == 0)
        #expect(Tool.run("zcat", file).output == Self.text)
        let empty = try scratch.file("empty.gz", gzipped([]))
        #expect(Tool.run("gzip", "-t", empty).status == 0)
        #expect(Tool.run("zcat", empty).output.isEmpty)
    }

    @Test func `writes an empty member for nothing`() throws {
        let expected: [UInt8] = [
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
        let bytes = try gzipped([])
        // An empty block is stored (five bytes) or of fixed codes (two).
        #expect(bytes == expected || bytes.count == 20)
    }

    @Test func `hands on the error of its sink, and stops`() throws {
        final class Full: ByteSink {
            struct Error: Swift.Error {}
            func write(_: UnsafeRawBufferPointer) throws { throw Error() }
            func finish() {}
        }
        let writer = try GzipBlockWriter(to: Full(), threads: 2)
        #expect(throws: Full.Error.self) {
            for _ in 0..<4 { try Self.text.withUnsafeBytes { try writer.write($0) } }
        }
        #expect(throws: Full.Error.self) { try writer.finish() }
        #expect(throws: Full.Error.self) { try writer.finish() }
    }

    @Test func `can be given up at any time`() throws {
        for count in [0, 100, 600_000, 3_000_000] {
            let writer = try GzipBlockWriter(to: MemorySink(), threads: 3)
            try Self.text.prefix(count).withUnsafeBytes { try writer.write($0) }
        }
    }

    @Test(arguments: [0, 13, -1])
    func `refuses a level that does not exist`(level: Int) {
        #expect(throws: ArchiveError.self) {
            try GzipBlockWriter(to: MemorySink(), level: level, threads: 1)
        }
    }
}

@Suite struct `A zstd writer` {
    @Test(arguments: [0, 1, 3_000_000])
    func `gives the same bytes with any number of threads`(count: Int) throws {
        let input = Array(`A gzip writer`.text.prefix(count))
        let make: (Int) throws -> [UInt8] = { threads in
            try packed(input, threads: threads) { try ZstdWriter(to: $0, threads: $1) }
        }
        let one = try make(1)
        #expect(try make(2) == one)
        #expect(try make(4) == one)
        #expect(try all(Decompressor(MemorySource(one))) == input)
        let scratch = Scratch()
        let file = try scratch.file("x.zst", one)
        #expect(Tool.run("zstd", "-tq", file).status == 0)
        #expect(Tool.run("zstd", "-dcq", file).output == input)
    }
}

@Suite struct `A layer compressor` {
    @Test(arguments: [LayerCompression.standard, .zstd(level: 3), .none])
    func `names both sides of the blob as sha256sum does`(kind: LayerCompression) throws {
        let scratch = Scratch()
        let input = `A gzip writer`.text
        let plain = try scratch.file("plain", input)
        let blob = try scratch.file("blob")
        let descriptor = try FileDescriptor.open(FilePath(blob), .writeOnly)
        let result = try descriptor.closeAfter {
            let compressor = try LayerCompressor(kind: kind, threads: 2, to: descriptor)
            try input.withUnsafeBytes { try compressor.write($0) }
            try compressor.finish()
            return compressor.result
        }
        #expect(Tool.run("sha256sum", plain).text.hasPrefix(hex(result.diffID)))
        #expect(Tool.run("sha256sum", blob).text.hasPrefix(hex(result.digest)))
        #expect(result.uncompressedSize == Int64(input.count))
        #expect(result.size == Int64(try scratch.bytes(of: "blob").count))
    }
}
