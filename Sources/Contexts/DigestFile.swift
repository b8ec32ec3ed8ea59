import Archive
import Layers
import Linux
import OCI
import SystemPackage

/// The file of remembered digests: records sorted by their keys, so that a build looks some up and reads the others never.
///
/// 8 bytes magic; for each record 6 words of its key, the flags as a word, and 32 bytes of the digest; the SHA-256 of all before.
/// Words are little-endian. A file that is damaged in any way is one without records.
struct DigestFile {
    /// What makes a file the same file with the same bytes: device, inode, size, mtime and ctime.
    struct Key: Hashable, Comparable {
        fileprivate let words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

        init(_ status: FileStatus) {
            words = (
                status.inode, status.size, UInt64(bitPattern: status.modified.seconds),
                UInt64(bitPattern: status.changed.seconds),
                UInt64(status.modified.nanoseconds) << 32 | UInt64(status.changed.nanoseconds),
                UInt64(status.device.major) << 32 | UInt64(status.device.minor)
            )
        }

        fileprivate init(_ record: UnsafeRawBufferPointer) {
            func word(_ index: Int) -> UInt64 {
                UInt64(
                    littleEndian: record.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            words = (word(0), word(1), word(2), word(3), word(4), word(5))
        }

        static func == (left: Key, right: Key) -> Bool { left.words == right.words }

        static func < (left: Key, right: Key) -> Bool { left.words < right.words }

        func hash(into hasher: inout Hasher) {
            hasher.combine(words.0)
            hasher.combine(words.3)
            hasher.combine(words.4)
        }
    }

    private static let magic = Array("lichndg2".utf8)
    private static let keySize = 48
    private static let recordSize = keySize + 8 + SHA256.size
    private static let largestSize =
        8 + recordSize * ContentDigestCache.largestCount + SHA256.size

    private let bytes: [UInt8]
    let count: Int

    init(_ name: String, in directory: FileDescriptor) {
        // Whatever is wrong with the file: it is made anew, and files are read once more.
        guard let bytes = try? Self.load(name, in: directory), bytes.starts(with: Self.magic),
            bytes.count >= Self.magic.count + SHA256.size,
            (bytes.count - Self.magic.count - SHA256.size) % Self.recordSize == 0,
            Self.sum(bytes.dropLast(SHA256.size)) == Array(bytes.suffix(SHA256.size))
        else {
            (bytes, count) = ([], 0)
            return
        }
        self.bytes = bytes
        count = (bytes.count - Self.magic.count - SHA256.size) / Self.recordSize
    }

    private static func load(_ name: String, in directory: FileDescriptor) throws -> [UInt8] {
        let file = try directory.open(name, [.readOnly, .noFollow], resolve: .noLinks)
        return try file.borrowed.readAll(limit: largestSize)
    }

    private static func sum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    }

    // MARK: - Looking up

    func index(of key: Key) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self.key(at: middle) < key { low = middle + 1 } else { high = middle }
        }
        return low < count && self.key(at: low) == key ? low : nil
    }

    func key(at index: Int) -> Key { withRecord(index) { Key($0) } }

    func content(at index: Int) -> KnownContent {
        withRecord(index) { record in
            KnownContent(
                digest: Digest(sha256: record[(Self.keySize + 8)...]),
                hasAttributes: record[Self.keySize] != 0)
        }
    }

    private func withRecord<Value>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value
    {
        bytes.withUnsafeBytes { bytes in
            let start = Self.magic.count + index * Self.recordSize
            return body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.recordSize]))
        }
    }

    // MARK: - Writing

    static func encoded(_ known: [Key: KnownContent]) -> [UInt8] {
        var bytes = magic
        bytes.reserveCapacity(magic.count + known.count * recordSize + SHA256.size)
        func append(_ word: UInt64) {
            withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        }
        for (key, content) in known.sorted(by: { $0.key < $1.key }) {
            let words = key.words
            for word in [words.0, words.1, words.2, words.3, words.4, words.5] { append(word) }
            append(content.hasAttributes ? 1 : 0)
            bytes.append(contentsOf: content.digest.bytes)
        }
        return bytes + sum(bytes[...])
    }

    static func replace(
        _ name: String, in directory: FileDescriptor, with bytes: [UInt8]
    ) throws(SystemError) {
        let random = UInt64.random(in: 0...UInt64.max)
        let temporary = Array("\(name).\(String(random, radix: 36))".utf8)
        try during("write the digests of context files") { () throws(Errno) in
            do throws(Errno) {
                let file = try directory.open(
                    temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
                try file.borrowed.writeFully(bytes)
                try directory.rename(temporary, to: directory, Array(name.utf8))
            } catch {
                // The failure that counts is the first.
                try? directory.unlink(temporary)
                throw error
            }
        }
    }
}
