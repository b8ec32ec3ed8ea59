import Archive
import Testing

@Suite struct `A decompressor` {
    static let text: [UInt8] = {
        var noise = Noise(3)
        return noise.text(700_000)
    }()

    @Test(arguments: [
        ["gzip", "-9"], ["gzip", "-1n"], ["zstd", "-q"], ["zstd", "-q", "--long=27"], ["xz"],
        ["bzip2"],
    ])
    func `reads what others pack`(command: [String]) throws {
        let scratch = Scratch()
        let file = try scratch.file("x", Self.text)
        let packed = Tool.run(command + ["-c", file]).output
        try #require(packed.count > 1000)
        for piece in [1000, 65536, 1 << 20] {
            #expect(try all(Decompressor(MemorySource(packed)), piece: piece) == Self.text)
        }
        let twice = try all(Decompressor(MemorySource(packed + packed)))
        #expect(twice == Self.text + Self.text)
        // Wherever the source's pieces end.
        for piece in [23, 4093] {
            let dripping = Dripping(packed + packed, piece)
            #expect(try all(Decompressor(dripping)) == twice)
        }
    }

    @Test func `passes on what is not packed`() throws {
        for count in [0, 1, 5, 6, 300_000] {
            let plain = Array(Self.text.prefix(count))
            let source = try Decompressor(MemorySource(plain))
            #expect(source.compression == .none)
            #expect(try all(source) == plain)
        }
    }

    @Test(arguments: [Compression.gzip, .zstd, .xz, .bzip2])
    func `says where a stream was cut`(format: Compression) throws {
        let packed = try self.packed(format)
        for keep in [11, 13, 40, packed.count / 2, packed.count - 1] {
            let found = problem { _ = try all(Decompressor(MemorySource(Array(packed[..<keep])))) }
            #expect(found == .truncated, "\(format) cut at \(keep)")
        }
    }

    @Test func `finds a wrong check sum and a wrong length`() throws {
        let packed = try self.packed(.gzip)
        for index in packed.count - 8..<packed.count {
            var bytes = packed
            bytes[index] ^= 1
            let sum = index < packed.count - 4
            let expected: ArchiveError.Problem = .corrupt(
                sum ? "wrong check sum" : "wrong length")
            #expect(problem { _ = try all(Decompressor(MemorySource(bytes))) } == expected)
        }
    }

    /// Found by fuzzing: of a stored block whose two lengths differ, ISA-L says that it gave back more than it got.
    @Test func `refuses a stored block of two lengths`() {
        let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]
        let bytes = header + [1, 0x5b, 0, 0xff, 0xff] + [UInt8](repeating: 0, count: 12)
        for count in 11...bytes.count {
            #expect(throws: ArchiveError.self) {
                _ = try all(Decompressor(MemorySource(Array(bytes.prefix(count)))))
            }
        }
    }

    @Test func `takes zeros after the last member, and nothing else`() throws {
        let packed = try self.packed(.gzip)
        let zeros = [UInt8](repeating: 0, count: 100_000)
        #expect(try all(Decompressor(MemorySource(packed + zeros))) == Self.text)
        for tail: [UInt8] in [
            [1], [0, 0, 1], zeros + [7], [0x1f], [0x1f, 0x8b, 8], zeros + packed,
        ] {
            #expect(throws: ArchiveError.self) {
                _ = try all(Decompressor(MemorySource(packed + tail)))
            }
        }
    }

    @Test func `reads every field of a gzip header, within a limit`() throws {
        let body = Array(try packed(.gzip)[10...])
        let start: [UInt8] = [0x1f, 0x8b, 8]
        let rest: [UInt8] = [0, 0, 0, 0, 0, 3]
        let fields: [UInt8] = [3, 0, 9, 9, 9] + Array("name\0comment\0".utf8)
        #expect(
            try all(Decompressor(MemorySource(start + [0x1c] + rest + fields + body)))
                == Self.text)
        let reserved = start + [0x20] + rest + body
        #expect(
            problem { _ = try all(Decompressor(MemorySource(reserved))) }
                == .corrupt("reserved flags are set"))
        let endless = start + [8] + rest + [UInt8](repeating: 65, count: 1 << 20)
        #expect(
            problem { _ = try all(Decompressor(MemorySource(endless))) }
                == .limit("bytes of a header", Int64(ArchiveLimits.gzipHeader)))
        let wrongSum = start + [2] + rest + [0, 0] + body
        #expect(
            problem { _ = try all(Decompressor(MemorySource(wrongSum))) }
                == .corrupt("wrong check sum of a header"))
    }

    @Test func `reads very many empty members`() throws {
        let member = try gzipped([])
        var bytes: [UInt8] = []
        for _ in 0..<100_000 { bytes += member }
        #expect(try all(Decompressor(MemorySource(bytes))).isEmpty)
    }

    @Test(arguments: [Compression.gzip, .zstd, .xz, .bzip2])
    func `stops at a bomb`(format: Compression) throws {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        let bomb = try packed(format, zeros)
        let small = DecompressionLimits(maximumOutput: 1 << 20)
        #expect(
            problem { _ = try all(Decompressor(MemorySource(bomb), limits: small)) }
                == .limit("decompressed bytes", 1 << 20))
        let steep = DecompressionLimits(maximumRatio: 100, ratioAppliesAfter: 1 << 20)
        #expect(
            problem { _ = try all(Decompressor(MemorySource(bomb), limits: steep)) }
                == .limit("bytes for each compressed byte", 100))
        #expect(try all(Decompressor(MemorySource(bomb), limits: .unlimited)) == zeros)
    }

    @Test func `refuses the windows and dictionaries of zstd that cost too much`() throws {
        // A frame header with a window of 2 GiB, and one with a dictionary.
        let window: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0]
        let dictionary: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x21, 5, 1, 1, 0, 0]
        for frame in [window, dictionary] {
            #expect(throws: ArchiveError.self) {
                _ = try all(Decompressor(MemorySource(frame)))
            }
        }
    }

    @Test func `passes over skippable frames`() throws {
        let skippable: [UInt8] = [0x55, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        let packed = try self.packed(.zstd)
        for stream in [skippable + packed, packed + skippable, skippable] {
            let source = try Decompressor(MemorySource(stream))
            #expect(source.compression == .zstd)
            #expect(try all(source) == (stream == skippable ? [] : Self.text))
        }
    }

    @Test(arguments: [Compression.gzip, .zstd, .xz, .bzip2])
    func `unpacks once, whatever is inside`(format: Compression) throws {
        let inner = try packed(format)
        #expect(try all(Decompressor(MemorySource(packed(format, inner)))) == inner)
    }

    @Test func `names a compression that is not allowed`() throws {
        let packed = try self.packed(.xz)
        #expect(
            problem { _ = try Decompressor(MemorySource(packed), allowed: [.gzip, .none]) }
                == .unsupported("xz compression here"))
    }

    /// Fuzz with a fixed seed: every outcome is bytes or a typed error.
    @Test(arguments: [Compression.gzip, .zstd, .xz, .bzip2])
    func `never traps or hangs on damaged bytes`(format: Compression) throws {
        let packed = try self.packed(format, Array(Self.text.prefix(5000)))
        let limits = DecompressionLimits(maximumOutput: 1 << 22)
        var noise = Noise(11)
        for _ in 0..<400 {
            var bytes = packed
            for _ in 0..<Int.random(in: 1...4, using: &noise) {
                let index = Int.random(in: 0..<bytes.count, using: &noise)
                bytes[index] = UInt8.random(in: .min ... .max, using: &noise)
            }
            if Bool.random(using: &noise) {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &noise))
            }
            do { _ = try all(Decompressor(MemorySource(bytes), limits: limits)) } catch {
                #expect(error is ArchiveError)
            }
        }
    }

    private func packed(_ format: Compression, _ bytes: [UInt8] = text) throws -> [UInt8] {
        let scratch = Scratch()
        let options = format == .gzip ? "-nc" : "-c"
        return Tool.run(format.rawValue, options, try scratch.file("x", bytes)).output
    }
}

/// A source that gives a few bytes at a time.
final class Dripping: ByteSource {
    private let bytes: [UInt8]
    private let piece: Int
    private var position = 0

    init(_ bytes: [UInt8], _ piece: Int) {
        self.bytes = bytes
        self.piece = piece
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, piece, bytes.count - position)
        bytes.withUnsafeBytes {
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        position += count
        return count
    }
}
