public import SystemPackage

/// Tells whether a file is an archive that ADD unpacks: by what is in it, never by its name.
///
/// It is one when its first block, decompressed, is a tar header whose check sum is right. An empty file, an empty archive and a
/// compressed file of another kind are copied as they are, as in BuildKit.
public enum ArchiveSniffer {
    public static func isArchive(_ source: any ByteSource) -> Bool {
        // Damaged compression means: no archive. The file is then copied.
        guard let plain = try? Decompressor(source) else { return false }
        return startsWithHeader(plain)
    }

    /// What a look at a file's first block tells without decompressing anything; nil where that would be needed.
    public static func isPlainArchive(_ file: FileDescriptor) -> Bool? {
        let source = DescriptorSource(file, offset: 0)
        var start = [UInt8](repeating: 0, count: 6)
        let count = start.withUnsafeMutableBytes { (try? source.fill($0)) ?? 0 }
        let compression = start.withUnsafeBytes {
            Compression.sniff(UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
        guard compression == .none else { return nil }
        return startsWithHeader(DescriptorSource(file, offset: 0))
    }

    private static let blockSize = 512
    private static let checksum = 148..<156

    private static func startsWithHeader(_ plain: any ByteSource) -> Bool {
        var block = [UInt8](repeating: 0, count: blockSize)
        let count = block.withUnsafeMutableBytes { (try? plain.fill($0)) ?? 0 }
        return count == blockSize && isHeader(block)
    }

    private static func isHeader(_ block: [UInt8]) -> Bool {
        let digits = block[checksum].drop { $0 == UInt8(ascii: " ") }
            .prefix { (0x30...0x37).contains($0) }
        guard let announced = Int(String(decoding: digits, as: UTF8.self), radix: 8) else {
            return false
        }
        // The field itself counts as spaces. Some old programs added the bytes with their signs.
        var (sum, signedSum) = (8 * 0x20, 8 * 0x20)
        for (index, byte) in block.enumerated() where !checksum.contains(index) {
            sum += Int(byte)
            signedSum += Int(Int8(bitPattern: byte))
        }
        return announced == sum || announced == signedSum
    }
}
