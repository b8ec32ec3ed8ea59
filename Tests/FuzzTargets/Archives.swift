import Archive

/// More than comes out of any input is an error, not memory.
private let limits = DecompressionLimits(
    maximumOutput: 16 << 20, maximumRatio: 1 << 12, ratioAppliesAfter: 1 << 20)

/// Of a hostile input this much may be kept.
private let largestData = 1 << 20

extension FuzzTarget {
    /// The reader of tar alone.
    static func tar() throws -> FuzzTarget {
        FuzzTarget("tar", seeds: TarSeeds.all, fragments: TarSeeds.fragments) { bytes in
            for input in [bytes, TarSeeds.repaired(bytes)] { try read(input) }
        }
    }

    /// Two readings of an archive say the same, and what they say keeps the limits.
    private static func read(_ bytes: [UInt8]) throws {
        func entries() throws -> [TarEntry] {
            let reader = TarReader(MemorySource(bytes))
            var found: [TarEntry] = []
            while let entry = try reader.next() {
                try check(entry)
                var end: Int64 = 0
                while let block = try reader.nextBlock() {
                    try require(
                        block.offset >= end
                            && block.offset + Int64(block.bytes.count) <= entry.size,
                        "data outside of its file: \(block.offset)")
                    end = block.offset + Int64(block.bytes.count)
                }
                found.append(entry)
            }
            return found
        }
        try expecting(ArchiveError.self) {
            try require(try entries() == entries(), "two readings differ")
        }
    }

    private static func check(_ entry: TarEntry) throws {
        try require(entry.path.count <= ArchiveLimits.path, "a path of \(entry.path.count) bytes")
        try require(!entry.path.contains(0), "a NUL in a path")
        try require(entry.size >= 0, "a size of \(entry.size)")
        try require(entry.xattrs.count <= ArchiveLimits.xattrs, "\(entry.xattrs.count) attributes")
        try require(entry.linkTarget.count <= ArchiveLimits.linkTarget, "a long link")
    }

    static func gzip() throws -> FuzzTarget {
        var seeds = try [1, 6].flatMap { level in
            try samples.map { sample in
                try packed(sample) { try GzipBlockWriter(to: $0, level: level, threads: 1) }
            }
        }
        seeds.append(seeds[0] + seeds[1])
        // Name, comment, extra field and check sum of the header.
        seeds.append(
            [0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2, 0x61, 0, 0x62, 0]
                + seeds[0].dropFirst(10))
        return FuzzTarget(
            "gzip", seeds: seeds, fragments: [[0x1f, 0x8b, 8, 0], [0], [0xff, 0xff]], decompress)
    }

    static func zstd() throws -> FuzzTarget {
        var seeds = try samples.map { sample in
            try packed(sample) { try ZstdWriter(to: $0, threads: 1) }
        }
        // Skippable frames, one by itself and one before content.
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
        seeds += [skippable, skippable + seeds[0], seeds[0] + seeds[1]]
        return FuzzTarget(
            "zstd", seeds: seeds, fragments: [[0x28, 0xb5, 0x2f, 0xfd], skippable, [0], [0xff]],
            decompress)
    }

    private static let samples: [[UInt8]] = [
        [], Array("hello, hello, hello".utf8), [UInt8](repeating: 0x61, count: 70_000),
        TarSeeds.all[0],
    ]

    private static func packed(
        _ bytes: [UInt8], _ make: (MemorySink) throws -> any ByteSink
    ) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = try make(sink)
        try bytes.withUnsafeBytes { try writer.write($0) }
        try writer.finish()
        return sink.bytes
    }

    /// Reads what may be compressed to its end, in two ways: as bytes, and as the layer that it may be.
    private static func decompress(_ bytes: [UInt8]) throws {
        try expecting(ArchiveError.self) {
            let source = try Decompressor(MemorySource(bytes), limits: limits)
            var total = 0
            try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer in
                while case let count = try source.read(into: buffer), count > 0 {
                    try require(
                        count <= buffer.count, "\(count) bytes in a buffer of \(buffer.count)")
                    total += count
                }
            }
            try require(Int64(total) <= limits.maximumOutput, "\(total) bytes came out")
        }
        try expecting(ArchiveError.self) {
            let layer = try LayerReader(MemorySource(bytes), limits: limits)
            while let entry = try layer.tar.next() {
                if entry.size <= Int64(largestData) {
                    _ = try layer.tar.data(of: entry, limit: largestData)
                }
            }
            let found = try layer.finish()
            try require(found.size == Int64(bytes.count), "\(found.size) of \(bytes.count) bytes")
        }
    }
}
