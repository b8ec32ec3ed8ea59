/// What the extended headers before an entry say of it.
///
/// POSIX.1-2017, pax, "pax Header Block"; the keys `SCHILY.xattr.…` are star's, `GNU.sparse.…`
/// are GNU tar's. A key given twice has its last value, an empty value takes a record back.
/// Access times, user and group names, character sets and unknown keys say nothing here.
/// ACLs in star's text form (`SCHILY.acl.…`) and flags aren't read, as by Docker; ACLs as
/// `SCHILY.xattr.system.posix_acl_…` are xattrs like all others.
struct PaxRecords {
    var path: [UInt8]?
    var linkPath: [UInt8]?
    var size: Int64?
    var uid: Int64?
    var gid: Int64?
    var modified: TarEntry.Time?
    var xattrs: [TarEntry.Xattr] = []
    var sparse = SparseRecords()

    /// Reads all records of one header.
    mutating func parse(_ records: UnsafeRawBufferPointer) throws(ArchiveError) {
        var rest = records[...]
        while !rest.isEmpty {
            let record = try Self.nextRecord(&rest)
            try take(key: record.key, value: record.value)
        }
    }

    /// Checks the records that hold for all entries that follow. No current tar agrees with
    /// another on what they may say, so only what has no effect here is let through: git writes
    /// a comment.
    static func checkGlobal(_ records: UnsafeRawBufferPointer) throws(ArchiveError) {
        var global = PaxRecords()
        try global.parse(records)
        guard
            global.path == nil, global.linkPath == nil, global.size == nil, global.uid == nil,
            global.gid == nil, global.modified == nil, global.xattrs.isEmpty,
            !global.sparse.isPresent
        else {
            throw ArchiveError(.unsupported("a global PAX header that changes entries"))
        }
    }

    private typealias Bytes = Slice<UnsafeRawBufferPointer>

    /// `LENGTH KEY=VALUE\n`, where the length counts all of it.
    private static func nextRecord(
        _ rest: inout Bytes
    ) throws(ArchiveError) -> (key: Bytes, value: Bytes) {
        var length = 0
        var digits = 0
        for byte in rest.prefix(8) {
            guard byte >= 0x30, byte <= 0x39 else { break }
            length = length * 10 + Int(byte - 0x30)
            digits += 1
        }
        guard digits > 0, length > digits + 3, length <= rest.count else { throw malformed }
        let record = rest.prefix(length).dropFirst(digits)
        guard record.first == 0x20, record.last == 0x0a else { throw malformed }
        let body = record.dropFirst().dropLast()
        guard let equals = body.firstIndex(of: 0x3d), equals > body.startIndex else {
            throw malformed
        }
        rest = rest.dropFirst(length)
        return (body[..<equals], body[(equals + 1)...])
    }

    private mutating func take(key: Bytes, value: Bytes) throws(ArchiveError) {
        switch key.count {
        case 3 where key.elementsEqual("uid".utf8): uid = try Self.number(value)
        case 3 where key.elementsEqual("gid".utf8): gid = try Self.number(value)
        case 4 where key.elementsEqual("path".utf8): path = try Self.name(value)
        case 4 where key.elementsEqual("size".utf8): size = try Self.number(value)
        case 5 where key.elementsEqual("mtime".utf8): modified = try Self.time(value)
        case 8 where key.elementsEqual("linkpath".utf8): linkPath = try Self.name(value)
        default:
            if key.starts(with: Self.xattrPrefix) {
                try takeXattr(Array(key.dropFirst(Self.xattrPrefix.count)), value)
            } else if key.starts(with: SparseRecords.prefix) {
                try sparse.take(
                    key: String(decoding: key.dropFirst(SparseRecords.prefix.count), as: UTF8.self),
                    value: value)
            } else if key.elementsEqual("SCHILY.realsize".utf8) {
                throw ArchiveError(.unsupported("star's sparse format"))
            }
        }
    }

    private mutating func takeXattr(_ name: [UInt8], _ value: Bytes) throws(ArchiveError) {
        guard !name.isEmpty, !name.contains(0) else { throw Self.malformed }
        guard name.count <= ArchiveLimits.xattrName else {
            throw ArchiveError(.limit("bytes of an xattr name", Int64(ArchiveLimits.xattrName)))
        }
        guard value.count <= ArchiveLimits.xattrValue else {
            throw ArchiveError(.limit("bytes of an xattr", Int64(ArchiveLimits.xattrValue)))
        }
        xattrs.removeAll { $0.name == name }
        guard xattrs.count < ArchiveLimits.xattrs else {
            throw ArchiveError(.limit("xattrs of an entry", Int64(ArchiveLimits.xattrs)))
        }
        xattrs.append(TarEntry.Xattr(name: name, value: Array(value)))
    }

    static let xattrPrefix = Array("SCHILY.xattr.".utf8)
    static let malformed = ArchiveError(.corrupt("malformed PAX header"))

    // MARK: Values

    private static func name(_ value: Bytes) throws(ArchiveError) -> [UInt8]? {
        if value.contains(0) { throw malformed }
        return value.isEmpty ? nil : Array(value)
    }

    /// Decimal digits, with a minus sign or without.
    static func number(_ value: Slice<UnsafeRawBufferPointer>) throws(ArchiveError) -> Int64? {
        if value.isEmpty { return nil }
        let isNegative = value.first == 0x2d
        let digits = isNegative ? value.dropFirst() : value
        guard !digits.isEmpty, digits.count <= 19 else { throw malformed }
        var number: Int64 = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { throw malformed }
            let (ten, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = ten.addingReportingOverflow(Int64(digit - 0x30))
            if tooLarge || overflows { throw malformed }
            number = sum
        }
        return isNegative ? -number : number
    }

    /// Seconds with a decimal fraction, of which nine digits count. Before 1970 the fraction
    /// reaches back: -0.25 is 750 ms after second -1.
    private static func time(_ value: Bytes) throws(ArchiveError) -> TarEntry.Time? {
        let point = value.firstIndex(of: 0x2e) ?? value.endIndex
        guard let whole = try number(value[..<point]) else {
            if value.isEmpty { return nil }
            throw malformed
        }
        var nanoseconds: UInt32 = 0
        var scale: UInt32 = 100_000_000
        for digit in value[point...].dropFirst() {
            guard digit >= 0x30, digit <= 0x39 else { throw malformed }
            nanoseconds += UInt32(digit - 0x30) * scale
            scale /= 10
        }
        if value.first == 0x2d, nanoseconds > 0 {
            guard whole > .min + 1 else { throw malformed }
            return TarEntry.Time(seconds: whole - 1, nanoseconds: 1_000_000_000 - nanoseconds)
        }
        return TarEntry.Time(seconds: whole, nanoseconds: nanoseconds)
    }
}
