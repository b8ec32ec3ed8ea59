/// The 512 bytes of a header, as they lie in the reader's window.
struct TarHeaderBlock {
    private let bytes: UnsafeRawBufferPointer

    /// `bytes` has at least 512 bytes, and outlives this value.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(TarField.block))
    }

    var type: UInt8 { bytes[TarField.type] }

    var isZero: Bool { bytes[0] == 0 && bytes.allSatisfy { $0 == 0 } }

    /// Whether the sum of all bytes is as written, each taken as unsigned or, as some old tars
    /// did, as signed.
    var hasValidChecksum: Bool {
        guard let expected = TarNumber.parse(bytes[TarField.checksum]) else { return false }
        var sum = 0
        for byte in bytes { sum += Int(byte) }
        for byte in bytes[TarField.checksum] { sum += 0x20 - Int(byte) }
        if expected == sum { return true }
        var signed = 0
        for byte in bytes { signed += Int(Int8(bitPattern: byte)) }
        for byte in bytes[TarField.checksum] { signed += 0x20 - Int(Int8(bitPattern: byte)) }
        return expected == signed
    }

    /// The path of the name field, behind that of the prefix field where the format has one.
    var path: [UInt8] {
        let name = string(TarField.name)
        guard let field = prefixField else { return Array(name) }
        let prefix = string(field)
        if prefix.isEmpty { return Array(name) }
        var path: [UInt8] = []
        path.reserveCapacity(prefix.count + 1 + name.count)
        path.append(contentsOf: prefix)
        path.append(UInt8(ascii: "/"))
        path.append(contentsOf: name)
        return path
    }

    var linkName: [UInt8] { Array(string(TarField.linkName)) }

    /// Bytes of data after the header.
    func size(_ pax: PaxRecords?) throws(ArchiveError) -> Int64 {
        let size = if let size = pax?.size { size } else { try number(TarField.size, "size") }
        guard size >= 0 else { throw ArchiveError(.corrupt("negative size")) }
        return size
    }

    /// What the header and the PAX records say, but for a sparse file's map.
    func entry(
        path: [UInt8], linkTarget: [UInt8], pax: PaxRecords?
    ) throws(ArchiveError) -> TarEntry {
        var entry = TarEntry(path: path, kind: try kind(path))
        if entry.kind == .directory {
            while entry.path.count > 1, entry.path.last == UInt8(ascii: "/") {
                entry.path.removeLast()
            }
        }
        try TarEntry.checkPath(entry.path)
        if entry.kind == .symlink || entry.kind == .hardLink {
            guard !linkTarget.isEmpty else { throw ArchiveError(.corrupt("an empty link")) }
            guard linkTarget.count <= ArchiveLimits.linkTarget else {
                throw ArchiveError(
                    .limit("bytes of a link target", Int64(ArchiveLimits.linkTarget)))
            }
            entry.linkTarget = linkTarget
        }
        // Old writers put the file's type into the mode, too.
        entry.mode = UInt16(truncatingIfNeeded: try number(TarField.mode, "mode") & 0o7777)
        entry.uid = try id(pax?.uid, else: TarField.uid, "user id")
        entry.gid = try id(pax?.gid, else: TarField.gid, "group id")
        entry.modified =
            if let modified = pax?.modified { modified } else {
                TarEntry.Time(seconds: try number(TarField.modified, "modification time"))
            }
        if entry.kind == .file { entry.size = try size(pax) }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            entry.major = try device(TarField.major)
            entry.minor = try device(TarField.minor)
        }
        entry.xattrs = try (pax?.xattrs ?? []).map(Self.canonical)
        return entry
    }

    private static func canonical(_ xattr: TarEntry.Xattr) throws(ArchiveError) -> TarEntry.Xattr {
        if xattr.name != FileCapability.attribute { return xattr }
        guard let value = FileCapability.canonical(xattr.value) else {
            throw ArchiveError(
                .corrupt("file capabilities that are malformed, or another machine's"))
        }
        return TarEntry.Xattr(name: xattr.name, value: value)
    }

    func number(_ field: Range<Int>, _ what: String) throws(ArchiveError) -> Int64 {
        guard let value = TarNumber.parse(bytes[field]) else {
            throw ArchiveError(.corrupt("malformed \(what)"))
        }
        return value
    }

    // MARK: Old GNU sparse files

    var sparseContinues: Bool { bytes[TarField.sparseContinues] != 0 }

    func sparseMap(realSize: inout Int64) throws(ArchiveError) -> SparseMap {
        realSize = try number(TarField.sparseRealSize, "size of a sparse file")
        var map = SparseMap()
        try Self.appendRegions(in: bytes[TarField.sparse], to: &map)
        return map
    }

    /// Pairs of offset and length of 12 bytes each, up to an empty one.
    static func appendRegions(
        in fields: Slice<UnsafeRawBufferPointer>, to map: inout SparseMap
    ) throws(ArchiveError) {
        var rest = fields
        while rest.count >= 24, rest[rest.startIndex + 12] != 0 {
            guard let offset = TarNumber.parse(rest.prefix(12)),
                let length = TarNumber.parse(rest.dropFirst(12).prefix(12))
            else { throw SparseMap.malformed }
            try map.append(offset: offset, length: length)
            rest = rest.dropFirst(24)
        }
    }

    // MARK: Fields

    private func string(_ field: Range<Int>) -> Slice<UnsafeRawBufferPointer> {
        bytes[field].prefix { $0 != 0 }
    }

    /// Only POSIX headers have a prefix; GNU tar keeps other things there.
    private var prefixField: Range<Int>? {
        guard bytes[TarField.magic].elementsEqual(Array("ustar\0".utf8)) else { return nil }
        let isStar = bytes[TarField.starMagic].elementsEqual(Array("tar\0".utf8))
        return isStar ? TarField.starPrefix : TarField.prefix
    }

    private func kind(_ path: [UInt8]) throws(ArchiveError) -> TarEntry.Kind {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            // V7 had no type for directories.
            path.last == UInt8(ascii: "/") ? .directory : .file
        case UInt8(ascii: "S"): .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symlink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        default:
            throw ArchiveError(.unsupported("an entry of type \(type)"))
        }
    }

    private func id(
        _ record: Int64?, else field: Range<Int>, _ what: String
    ) throws(ArchiveError) -> UInt32 {
        let value = if let record { record } else { try number(field, what) }
        guard value >= 0, value < Int64(UInt32.max) else {
            throw ArchiveError(.corrupt("\(what) \(value) is out of range"))
        }
        return UInt32(value)
    }

    private func device(_ field: Range<Int>) throws(ArchiveError) -> UInt32 {
        let value = try number(field, "device number")
        guard let number = UInt32(exactly: value) else {
            throw ArchiveError(.corrupt("device number \(value) is out of range"))
        }
        return number
    }
}

extension TarEntry {
    /// Throws when `path` is empty, or longer than the kernel takes.
    static func checkPath(_ path: [UInt8]) throws(ArchiveError) {
        guard !path.isEmpty else { throw ArchiveError(.corrupt("an entry without a name")) }
        guard path.count <= ArchiveLimits.path else {
            throw ArchiveError(.limit("bytes of a path", Int64(ArchiveLimits.path)))
        }
        for name in path.split(separator: UInt8(ascii: "/")) where !isShort(name) {
            throw ArchiveError(.limit("bytes of a name", Int64(ArchiveLimits.component)))
        }
    }

    /// Whether a file may have the name, or the name that it hides.
    private static func isShort(_ name: ArraySlice<UInt8>) -> Bool {
        if name.count <= ArchiveLimits.component { return true }
        let prefix = ArchiveLimits.whiteoutPrefix
        return name.count <= ArchiveLimits.component + prefix.utf8CodeUnitCount
            && prefix.withUTF8Buffer { name.starts(with: $0) }
    }
}
