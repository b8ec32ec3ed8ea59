/// The entries of a tar, one after another, and their data, from any source.
///
/// Reads ustar, PAX, GNU and old V7 archives. A reader of our own, because an archive of a
/// stranger must either mean the same to all readers or be refused: names stay the bytes they
/// are (libarchive normalises those of PAX headers), a header that GNU tar, bsdtar and Go read
/// differently is an error, and every length has a limit before memory is given to it.
///
/// PAX records win over GNU long names, and these over the header. After the last entry the
/// source is read to its end, so that a hash of it is whole.
public final class TarReader {
    let window: InputWindow
    /// How many entries have been read.
    public private(set) var count = 0

    var paxBytes: Int64 = 0
    private var headerOffset: Int64 = 0
    private var entryPath: [UInt8]?
    private var hasEnded = false
    private var failure: (any Error)?

    // The data of the entry that was returned last.
    var stored: Int64 = 0
    private var padding: Int64 = 0
    private var position: Int64 = 0
    private var regions: [TarEntry.Region]?
    private var regionIndex = 0

    public init(_ source: any ByteSource) {
        window = InputWindow(source, capacity: ArchiveLimits.paxHeader + TarField.block)
    }

    /// The next entry; passes over what is left of the data of the one before. nil at the end,
    /// when the source has been read to its end. An archive that was refused stays so.
    public func next() throws -> TarEntry? {
        if let failure { throw failure }
        if hasEnded { return nil }
        entryPath = nil
        do {
            try skipData()
            let entry = try readEntry()
            if entry == nil { try readToEnd() }
            return entry
        } catch {
            let failure = located(error)
            self.failure = failure
            throw failure
        }
    }

    /// The next piece of the entry's data and where it stands in the file; nil after the last.
    ///
    /// Holes of a sparse file are left out. The bytes stay valid until the next call.
    public func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
        if stored == 0 { return nil }
        guard try window.refill() else { throw truncated }
        var length = min(Int64(window.ready.count), stored)
        if let regions {
            let region = regions[regionIndex]
            position = max(position, region.offset)
            let left = region.offset + region.length - position
            if left <= length {
                length = left
                regionIndex += 1
            }
        }
        let bytes = UnsafeRawBufferPointer(rebasing: window.ready.prefix(Int(length)))
        let offset = position
        window.consume(Int(length))
        stored -= length
        position += length
        return (offset, bytes)
    }

    /// All data of an entry that is known to be small; holes are zeros.
    ///
    /// - Throws: `ArchiveError` when the file has more than `limit` bytes.
    public func data(of entry: TarEntry, limit: Int) throws -> [UInt8] {
        guard entry.size <= limit else {
            throw ArchiveError(
                .limit("bytes of this file", Int64(limit)), format: .tar, entry: entry.path)
        }
        var data = [UInt8](repeating: 0, count: Int(entry.size))
        while let (offset, bytes) = try nextBlock() {
            data.withUnsafeMutableBytes {
                $0[Int(offset)...].copyBytes(from: bytes)
            }
        }
        return data
    }

    // MARK: Headers

    private func readEntry() throws -> TarEntry? {
        var extensions = Extensions()
        while true {
            headerOffset = window.offset
            guard try window.require(TarField.block) else {
                guard window.ready.isEmpty, extensions.isEmpty else { throw truncated }
                return nil
            }
            let header = TarHeaderBlock(window.ready)
            if header.isZero {
                guard extensions.isEmpty else { throw dangling }
                try readSecondZeroBlock()
                return nil
            }
            guard header.hasValidChecksum else {
                throw ArchiveError(.corrupt("no tar header, or a damaged one"))
            }
            count += 1
            if count > ArchiveLimits.entries {
                throw ArchiveError(.limit("entries", Int64(ArchiveLimits.entries)))
            }
            if try readExtension(header, into: &extensions) { continue }
            return try entry(header, extensions)
        }
    }

    private func readSecondZeroBlock() throws {
        window.consume(TarField.block)
        guard try window.require(TarField.block) else { return }
        // GNU tar ends here, bsdtar goes on.
        guard TarHeaderBlock(window.ready).isZero else {
            throw ArchiveError(.corrupt("a single block of zeros between entries"))
        }
        window.consume(TarField.block)
    }

    private func entry(
        _ header: TarHeaderBlock, _ extensions: Extensions
    ) throws -> TarEntry {
        let pax = extensions.pax
        entryPath = pax?.sparse.name ?? pax?.path ?? extensions.longName ?? header.path
        var entry = try header.entry(
            path: entryPath ?? [],
            linkTarget: pax?.linkPath ?? extensions.longLink ?? header.linkName, pax: pax)
        let type = header.type
        let isOldSparse = type == UInt8(ascii: "S")
        var map = SparseMap()
        if isOldSparse { map = try header.sparseMap(realSize: &entry.size) }
        var isContinued = isOldSparse && header.sparseContinues
        let storedSize = try header.size(pax)
        window.consume(TarField.block)
        while isContinued { isContinued = try readSparseBlock(into: &map) }

        // A hard link's size is that of the file it names; its data isn't here.
        stored = entry.kind == .file ? storedSize : 0
        guard entry.kind == .file || type == UInt8(ascii: "1") || storedSize == 0 else {
            throw ArchiveError(.corrupt("data after an entry that has none"))
        }
        padding = TarField.padding(after: stored)
        if let sparse = pax?.sparse, sparse.isPresent {
            guard entry.kind == .file, !isOldSparse, let realSize = sparse.realSize else {
                throw SparseMap.malformed
            }
            map = sparse.isMapInData ? try readSparseMap() : try sparse.map()
            entry.size = realSize
            entry.regions = map.regions
        } else if isOldSparse {
            entry.regions = map.regions
        }
        if entry.regions != nil { try map.check(realSize: entry.size, storedSize: stored) }
        regions = entry.regions
        regionIndex = 0
        position = 0
        return entry
    }

    // MARK: Data

    /// Passes over `length` bytes of the entry's data.
    func skip(_ length: Int64) throws {
        var left = length
        while left > 0 {
            guard try window.refill() else { throw truncated }
            let count = min(Int64(window.ready.count), left)
            window.consume(Int(count))
            left -= count
        }
        stored -= length
    }

    private func skipData() throws {
        try skip(stored)
        // Some writers end with the last file's data, and other readers take it; the digest tells whether the stream is whole.
        var left = padding
        while left > 0, try window.refill() {
            let count = min(Int64(window.ready.count), left)
            window.consume(Int(count))
            left -= count
        }
        stored = 0
        padding = 0
    }

    private func readToEnd() throws {
        hasEnded = true
        let start = window.offset
        while try window.refill() {
            window.consume(window.ready.count)
            if window.offset - start > ArchiveLimits.trailing {
                throw ArchiveError(
                    .limit("bytes after the end of the archive", ArchiveLimits.trailing))
            }
        }
    }

    var truncated: ArchiveError {
        ArchiveError(.truncated, format: .tar, offset: window.end, entry: entryPath)
    }

    var dangling: ArchiveError {
        ArchiveError(.corrupt("an extension header that no entry follows"))
    }

    /// Adds what is being read to an error that doesn't say.
    private func located(_ error: any Error) -> any Error {
        guard var error = error as? ArchiveError, error.format == nil else { return error }
        error.format = .tar
        error.offset = error.offset ?? headerOffset
        error.entry = error.entry ?? entryPath
        return error
    }
}
