extension TarReader {
    /// Reads a block of further regions of an old GNU sparse file; true when one more follows.
    func readSparseBlock(into map: inout SparseMap) throws -> Bool {
        guard try window.require(TarField.block) else { throw truncated }
        defer { window.consume(TarField.block) }
        try TarHeaderBlock.appendRegions(in: window.ready[..<504], to: &map)
        return window.ready[504] != 0
    }

    /// The map of sparse format 1.0: decimal lines in front of the data, filled to a block.
    func readSparseMap() throws -> SparseMap {
        let start = window.offset
        var map = SparseMap()
        let regions = try readDecimalLine()
        guard regions <= ArchiveLimits.sparseRegions else { throw SparseMap.tooMany }
        for _ in 0..<regions {
            try map.append(offset: readDecimalLine(), length: readDecimalLine())
        }
        let length = window.offset - start
        try skip(min(TarField.padding(after: length), stored))
        return map
    }

    private func readDecimalLine() throws -> Int64 {
        var value: Int64 = 0
        for digits in 0..<19 {
            guard stored > 0, try window.refill() else { throw truncated }
            let byte = window.ready[0]
            window.consume(1)
            stored -= 1
            if byte == 0x0a, digits > 0 { return value }
            guard byte >= 0x30, byte <= 0x39 else { break }
            value = value * 10 + Int64(byte - 0x30)
        }
        throw SparseMap.malformed
    }
}
