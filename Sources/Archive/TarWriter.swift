import Glibc
public import SystemPackage

/// Writes a tar that is a function of its entries alone.
///
/// A plain ustar header wherever everything fits, with long paths split between name and prefix
/// where a slash allows it. Names of any bytes stand in the header raw, as GNU tar, bsdtar,
/// Python and Go read them. A PAX header comes before it only for what ustar can't say: paths
/// and links that are too long, files from 8 GiB, ids above 2,097,151, times before 1970 or
/// after 2242, xattrs; `hdrcharset=BINARY` then says that names aren't UTF-8. User and group
/// names are empty, times are whole seconds (rounded down, as in all engines' layers), sparse
/// files are written out with their zeros.
public final class TarWriter {
    private let sink: any LendingSink
    private let header: UnsafeMutableRawBufferPointer
    private var pax = PaxBuilder()
    private var left: Int64 = 0
    private var size: Int64 = 0
    private var path: [UInt8] = []

    /// How many bytes have been written.
    public private(set) var count: Int64 = 0

    /// Writes to `sink`, in its own buffer where it lends one.
    public init(to sink: any ByteSink) {
        self.sink = sink as? any LendingSink ?? BufferingSink(sink)
        header = .allocate(byteCount: TarField.block, alignment: 16)
    }

    deinit { header.deallocate() }

    /// Writes the header of an entry. Its `size` bytes of data are written next, then `end` is
    /// called. Entries that aren't files have no data, whatever their size says.
    public func begin(_ entry: TarEntry) throws {
        path = entry.path
        try annotated { () throws(ArchiveError) in try entry.checkWritable() }
        size = entry.kind == .file ? entry.size : 0
        left = size
        pax.start(xattrs: entry.xattrs)
        fillHeader(entry)
        if !pax.isEmpty { try writePax() }
        try put(UnsafeRawBufferPointer(header))
    }

    /// Writes some of the entry's data.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try take(Int64(bytes.count))
        try put(bytes)
    }

    /// Writes zeros as data, for a hole.
    public func writeZeros(_ length: Int64) throws {
        try take(length)
        try putZeros(length)
    }

    /// Reads all of the entry's remaining data from `file`, from where it stands, straight into
    /// the sink's buffer.
    ///
    /// - Throws: `ArchiveError` with `wrongSize` when the file ends early.
    public func writeContents(of file: FileDescriptor) throws {
        while left > 0 {
            let room = try sink.room()
            let wanted = Int(min(Int64(room.count), left))
            let got = read(file.rawValue, room.baseAddress, wanted)
            if got < 0 {
                if errno == EINTR { continue }
                throw ArchiveError.system("read", errno)
            }
            guard got > 0 else { throw wrongSize(size - left) }
            try sink.commit(got)
            count += Int64(got)
            left -= Int64(got)
        }
    }

    /// Ends the entry.
    ///
    /// - Throws: `ArchiveError` with `wrongSize` when data is missing.
    public func end() throws {
        guard left == 0 else { throw wrongSize(size - left) }
        try putZeros(TarField.padding(after: size))
        size = 0
    }

    /// Writes the end of the archive, and finishes the sink.
    public func finish() throws {
        guard left == 0 else { throw wrongSize(size - left) }
        try putZeros(Int64(2 * TarField.block))
        try sink.finish()
    }

    // MARK: Header

    private func fillHeader(_ entry: TarEntry) {
        clearHeader(type: entry.kind.typeFlag)
        let isDirectory = entry.kind == .directory && entry.path.last != UInt8(ascii: "/")
        if let split = TarName.split(entry.path, addingSlash: isDirectory) {
            copy(entry.path[..<max(split - 1, 0)], to: TarField.prefix)
            copy(entry.path[split...], to: TarField.name)
            if isDirectory { header[entry.path.count - split] = UInt8(ascii: "/") }
        } else {
            pax.add(path: entry.path, addingSlash: isDirectory)
            // Readers that know no PAX at least see where the name began.
            copy(entry.path.prefix(TarField.name.count), to: TarField.name)
        }
        if entry.linkTarget.count <= TarField.linkName.count {
            copy(entry.linkTarget[...], to: TarField.linkName)
        } else {
            pax.add(linkPath: entry.linkTarget)
            copy(entry.linkTarget.prefix(TarField.linkName.count), to: TarField.linkName)
        }
        put(Int64(entry.mode), in: TarField.mode)
        put(Int64(entry.uid), in: TarField.uid, orAs: "uid")
        put(Int64(entry.gid), in: TarField.gid, orAs: "gid")
        put(size, in: TarField.size, orAs: "size")
        put(entry.modified.seconds, in: TarField.modified, orAs: "mtime")
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            put(Int64(entry.major), in: TarField.major)
            put(Int64(entry.minor), in: TarField.minor)
        }
        sealHeader()
    }

    private func clearHeader(type: UInt8) {
        header.initializeMemory(as: UInt8.self, repeating: 0)
        header[TarField.type] = type
        header[TarField.magic].copyBytes(from: "ustar\0".utf8)
        header[TarField.version].copyBytes(from: "00".utf8)
        put(0, in: TarField.major)
        put(0, in: TarField.minor)
    }

    private func sealHeader() {
        header[TarField.checksum].copyBytes(from: "        ".utf8)
        var sum: Int64 = 0
        for byte in header { sum += Int64(byte) }
        // Six digits, a NUL, and the space that is there already.
        TarNumber.write(
            sum,
            to: UnsafeMutableRawBufferPointer(rebasing: header[TarField.checksum].dropLast()))
    }

    private func writePax() throws {
        // The entry's own header is ready: keep it aside while its PAX header goes first.
        try withUnsafeTemporaryAllocation(byteCount: TarField.block, alignment: 16) { own in
            own.copyMemory(from: UnsafeRawBufferPointer(header))
            let records = pax.records()
            clearHeader(type: UInt8(ascii: "x"))
            copy(PaxBuilder.headerName[...], to: TarField.name)
            put(0o644, in: TarField.mode)
            put(0, in: TarField.uid)
            put(0, in: TarField.gid)
            put(Int64(records.count), in: TarField.size)
            put(0, in: TarField.modified)
            sealHeader()
            try put(UnsafeRawBufferPointer(header))
            try records.withUnsafeBytes { try put($0) }
            try putZeros(TarField.padding(after: Int64(records.count)))
            header.copyMemory(from: UnsafeRawBufferPointer(own))
        }
    }

    private func copy(_ bytes: ArraySlice<UInt8>, to field: Range<Int>) {
        header[field].copyBytes(from: bytes)
    }

    /// Writes a number that fits.
    private func put(_ value: Int64, in field: Range<Int>) {
        TarNumber.write(value, to: UnsafeMutableRawBufferPointer(rebasing: header[field]))
    }

    /// Writes a number, or zero and a PAX record where it doesn't fit.
    private func put(_ value: Int64, in field: Range<Int>, orAs key: StaticString) {
        if TarNumber.fits(value, width: field.count) {
            put(value, in: field)
        } else {
            put(0, in: field)
            pax.add(key, value)
        }
    }

    // MARK: Output

    private func take(_ length: Int64) throws {
        guard length <= left else { throw wrongSize(size - left + length) }
        left -= length
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        try sink.write(bytes)
        count += Int64(bytes.count)
    }

    private func putZeros(_ length: Int64) throws {
        var rest = length
        while rest > 0 {
            let room = try sink.room()
            let part = Int(min(Int64(room.count), rest))
            room.prefix(part).initializeMemory(as: UInt8.self, repeating: 0)
            try sink.commit(part)
            rest -= Int64(part)
        }
        count += length
    }

    private func wrongSize(_ actual: Int64) -> ArchiveError {
        ArchiveError(.wrongSize(declared: size, actual: actual), format: .tar, entry: path)
    }

    private func annotated(_ body: () throws(ArchiveError) -> Void) throws(ArchiveError) {
        do throws(ArchiveError) { try body() } catch {
            throw ArchiveError(error.problem, format: .tar, entry: path)
        }
    }
}
