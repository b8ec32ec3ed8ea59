/// What PAX headers say of a sparse file: GNU tar's formats 0.0, 0.1 and 1.0.
///
/// GNU tar manual, "Storing Sparse Files".
struct SparseRecords {
    var name: [UInt8]?
    var realSize: Int64?
    /// 1.0: the map stands before the data.
    var isMapInData = false
    private var numbers: [Int64] = []
    private(set) var isPresent = false

    static let prefix = Array("GNU.sparse.".utf8)

    mutating func take(
        key: String, value: Slice<UnsafeRawBufferPointer>
    ) throws(ArchiveError) {
        isPresent = true
        switch key {
        case "name":
            guard !value.isEmpty, !value.contains(0) else { throw PaxRecords.malformed }
            name = Array(value)
        case "size", "realsize": realSize = try PaxRecords.number(value)
        case "major":
            guard let major = try PaxRecords.number(value), major <= 1 else {
                throw ArchiveError(.unsupported("this sparse format"))
            }
            isMapInData = major == 1
        case "offset", "numbytes":
            // 0.0: one record for each number, in turns.
            guard (key == "offset") == numbers.count.isMultiple(of: 2) else {
                throw PaxRecords.malformed
            }
            try append(value)
        case "map":
            numbers = []
            for number in value.split(separator: 0x2c, omittingEmptySubsequences: false)
            where !value.isEmpty {
                try append(number)
            }
        default: break  // numblocks and minor say nothing new.
        }
    }

    /// The map of formats 0.0 and 0.1.
    func map() throws(ArchiveError) -> SparseMap {
        guard numbers.count.isMultiple(of: 2) else { throw PaxRecords.malformed }
        var map = SparseMap()
        for index in stride(from: 0, to: numbers.count, by: 2) {
            try map.append(offset: numbers[index], length: numbers[index + 1])
        }
        return map
    }

    private mutating func append(_ value: Slice<UnsafeRawBufferPointer>) throws(ArchiveError) {
        guard let number = try PaxRecords.number(value) else { throw PaxRecords.malformed }
        guard numbers.count < 2 * ArchiveLimits.sparseRegions else { throw SparseMap.tooMany }
        numbers.append(number)
    }
}

/// The regions of a sparse file as they are read: ascending, apart, and few.
struct SparseMap {
    private(set) var regions: [TarEntry.Region] = []
    /// Bytes of all regions.
    private(set) var stored: Int64 = 0
    private var end: Int64 = 0

    static let tooMany = ArchiveError(
        .limit("regions of a sparse file", Int64(ArchiveLimits.sparseRegions)))

    mutating func append(offset: Int64, length: Int64) throws(ArchiveError) {
        guard offset >= end, length >= 0 else { throw Self.malformed }
        let (end, overflows) = offset.addingReportingOverflow(length)
        if overflows { throw Self.malformed }
        self.end = end
        if length == 0 { return }  // Marks the end of a file that ends with a hole.
        guard regions.count < ArchiveLimits.sparseRegions else { throw Self.tooMany }
        regions.append(TarEntry.Region(offset: offset, length: length))
        stored += length
    }

    /// Checks the map against the sizes that the header gives.
    func check(realSize: Int64, storedSize: Int64) throws(ArchiveError) {
        guard realSize >= end, stored == storedSize else { throw Self.malformed }
    }

    static let malformed = ArchiveError(.corrupt("malformed map of a sparse file"))
}
