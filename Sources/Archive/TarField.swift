/// Where the fields of a tar header block lie.
///
/// POSIX.1-2017, pax, "ustar Interchange Format".
enum TarField {
    static let block = 512

    static let name = 0..<100
    static let mode = 100..<108
    static let uid = 108..<116
    static let gid = 116..<124
    static let size = 124..<136
    static let modified = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let linkName = 157..<257
    static let magic = 257..<263
    static let version = 263..<265
    static let major = 329..<337
    static let minor = 337..<345
    static let prefix = 345..<500
    /// star keeps times behind a shorter prefix, and says so at the end of the block.
    static let starPrefix = 345..<476
    static let starMagic = 508..<512

    /// Old GNU sparse files: four regions, then whether more follow, then the real size.
    static let sparse = 386..<482
    static let sparseContinues = 482
    static let sparseRealSize = 483..<495

    /// Bytes that fill up the last block of `size` bytes.
    static func padding(after size: Int64) -> Int64 { (512 - size & 511) & 511 }
}

/// The values of header fields: octal digits, or base 256 where the first bit says so.
enum TarNumber {
    /// The number in `field`, an empty one being 0; nil when it's neither.
    static func parse(_ field: Slice<UnsafeRawBufferPointer>) -> Int64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 { return parseBase256(field) }
        var value: Int64 = 0
        var rest = field.drop { $0 == 0x20 }
        while let digit = rest.first, digit >= 0x30, digit < 0x38 {
            guard value < 1 << 60 else { return nil }
            value = value << 3 | Int64(digit - 0x30)
            rest = rest.dropFirst()
        }
        // Digits end with a space or a NUL; what may lie behind these is nobody's.
        guard let end = rest.first else { return value }
        return end == 0 || end == 0x20 ? value : nil
    }

    /// Two's complement, big endian, without the marker bit.
    private static func parseBase256(_ field: Slice<UnsafeRawBufferPointer>) -> Int64? {
        guard let first = field.first else { return nil }
        let isNegative = first & 0x40 != 0
        let fill: UInt8 = isNegative ? 0xff : 0
        let head = isNegative ? first : first & 0x7f
        var value: Int64 = isNegative ? -1 : 0
        for (index, byte) in field.enumerated() {
            let byte = index == 0 ? head : byte
            if field.count - index > 8 {
                guard byte == fill else { return nil }
            } else {
                value = value << 8 | Int64(byte)
            }
        }
        return (value < 0) == isNegative ? value : nil
    }

    /// Whether `value` fits in a field of `width` bytes, of which the last is a NUL.
    static func fits(_ value: Int64, width: Int) -> Bool {
        value >= 0 && (width > 21 || value >> Int64(3 * (width - 1)) == 0)
    }

    /// Writes octal digits that fill `field` but for its last byte, a NUL.
    static func write(_ value: Int64, to field: UnsafeMutableRawBufferPointer) {
        var value = value
        for index in (0..<field.count - 1).reversed() {
            field[index] = 0x30 + UInt8(value & 7)
            value >>= 3
        }
        field[field.count - 1] = 0
    }
}
