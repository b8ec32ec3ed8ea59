extension TarReader {
    /// What came before an entry's own header.
    struct Extensions {
        var pax: PaxRecords?
        var longName: [UInt8]?
        var longLink: [UInt8]?
        var isEmpty: Bool { pax == nil && longName == nil && longLink == nil }
    }

    /// Reads a header that speaks of the next one; false when `header` isn't of these.
    func readExtension(
        _ header: TarHeaderBlock, into extensions: inout Extensions
    ) throws -> Bool {
        switch header.type {
        case UInt8(ascii: "x"):
            guard extensions.pax == nil else { throw dangling }
            var pax = PaxRecords()
            try withBody(of: header, limit: ArchiveLimits.paxHeader, what: "PAX header") {
                records throws(ArchiveError) in try pax.parse(records)
            }
            extensions.pax = pax
        case UInt8(ascii: "g"):
            guard extensions.isEmpty else { throw dangling }
            try withBody(of: header, limit: ArchiveLimits.paxHeader, what: "PAX header") {
                records throws(ArchiveError) in try PaxRecords.checkGlobal(records)
            }
        case UInt8(ascii: "L"):
            guard extensions.longName == nil else { throw dangling }
            extensions.longName = try longName(header)
        case UInt8(ascii: "K"):
            guard extensions.longLink == nil else { throw dangling }
            extensions.longLink = try longName(header)
        case UInt8(ascii: "V"):  // The label of a volume.
            guard extensions.isEmpty else { throw dangling }
            try withBody(of: header, limit: ArchiveLimits.longName, what: "volume label") { _ in }
        default: return false
        }
        return true
    }

    private func longName(_ header: TarHeaderBlock) throws -> [UInt8] {
        var name: [UInt8] = []
        try withBody(of: header, limit: ArchiveLimits.longName, what: "long name") {
            name = Array($0.prefix { $0 != 0 })
        }
        return name
    }

    /// Hands the data of an extension header over, in one piece.
    private func withBody(
        of header: TarHeaderBlock, limit: Int, what: String,
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws {
        let size = try header.number(TarField.size, "size")
        guard size >= 0 else { throw ArchiveError(.corrupt("negative size")) }
        guard size <= limit else {
            throw ArchiveError(.limit("bytes of a \(what)", Int64(limit)))
        }
        paxBytes += size
        if paxBytes > ArchiveLimits.paxTotal {
            throw ArchiveError(.limit("bytes of all PAX headers", ArchiveLimits.paxTotal))
        }
        window.consume(TarField.block)
        let whole = Int(size + TarField.padding(after: size))
        guard try window.require(whole) else { throw truncated }
        try body(UnsafeRawBufferPointer(rebasing: window.ready.prefix(Int(size))))
        window.consume(whole)
    }
}
