import Archive
public import Layers
public import Linux
public import OCI
import Synchronization
public import SystemPackage

/// Remembers the digests of context files over builds, in one file.
///
/// A file is the same while device, inode, size, mtime and ctime are: whoever writes to it changes its ctime. The clock that stamps
/// files is coarse, so a file that changed just before it was read is not remembered (git's rule for its index).
///
/// A damaged file is as good as none. Two builds at once are no harm: who saves last adds to what the other left.
public final class ContentDigestCache: ContentDigests, Sendable {
    /// Files with newer times than this before they were read may change again within the same tick.
    static let settlingSeconds: Int64 = 2
    /// The most that are kept: 8 MB.
    static let largestCount = 100_000

    private struct State {
        var known: [Key: Digest]
        /// Asked for or new in this build: these stay when there are too many.
        var used: Set<Key> = []
        var isChanged = false
    }

    private let directory: FileDescriptor
    private let name: String
    private let state: Mutex<State>

    /// - Parameter directory: holds the file, and stays open as long as this is used.
    public init(in directory: FileDescriptor, name: String = "digests") {
        self.directory = directory
        self.name = name
        state = Mutex(State(known: DigestFile.read(name, in: directory)))
    }

    public func digest(of status: FileStatus) -> Digest? {
        let key = Key(status)
        return state.withLock { state in
            guard let digest = state.known[key] else { return nil }
            state.used.insert(key)
            return digest
        }
    }

    public func remember(_ digest: Digest, of status: FileStatus, readAt time: FileTime) {
        let settled = time.seconds - Self.settlingSeconds
        guard status.modified.seconds < settled, status.changed.seconds < settled else { return }
        let key = Key(status)
        state.withLock { state in
            state.known[key] = digest
            state.used.insert(key)
            state.isChanged = true
        }
    }

    /// Writes what is known, if anything is new. Nothing of it is needed: a failure costs time in the next build, no more.
    public func save() throws(SystemError) {
        let bytes: [UInt8]? = state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            var kept = DigestFile.read(name, in: directory)
            kept.merge(state.known) { _, own in own }
            if kept.count > Self.largestCount {
                kept = kept.filter { state.used.contains($0.key) }
            }
            return DigestFile.encoded(kept.prefix(Self.largestCount))
        }
        guard let bytes else { return }
        try DigestFile.replace(name, in: directory, with: bytes)
    }

    /// What makes a file the same file with the same bytes.
    struct Key: Hashable {
        var device: DeviceNumber
        var inode, size: UInt64
        var modifiedSeconds, changedSeconds: Int64
        var modifiedNanoseconds, changedNanoseconds: UInt32

        init(_ status: FileStatus) {
            device = status.device
            (inode, size) = (status.inode, status.size)
            modifiedSeconds = status.modified.seconds
            modifiedNanoseconds = status.modified.nanoseconds
            changedSeconds = status.changed.seconds
            changedNanoseconds = status.changed.nanoseconds
        }

        init(_ bytes: UnsafeRawBufferPointer) {
            func number<Number: FixedWidthInteger & BitwiseCopyable>(
                _ offset: Int, _ type: Number.Type
            ) -> Number {
                Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
            }
            device = DeviceNumber(major: number(0, UInt32.self), minor: number(4, UInt32.self))
            (inode, size) = (number(8, UInt64.self), number(16, UInt64.self))
            modifiedSeconds = number(24, Int64.self)
            changedSeconds = number(32, Int64.self)
            modifiedNanoseconds = number(40, UInt32.self)
            changedNanoseconds = number(44, UInt32.self)
        }

        func append(to bytes: inout [UInt8]) {
            func append(_ number: some FixedWidthInteger) {
                withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
            }
            append(device.major)
            append(device.minor)
            append(inode)
            append(size)
            append(modifiedSeconds)
            append(changedSeconds)
            append(modifiedNanoseconds)
            append(changedNanoseconds)
        }
    }
}

/// The file: 8 bytes magic; records of a key's 48 bytes and a digest's 32; the SHA-256 of all before.
private enum DigestFile {
    private static let magic = Array("lichndg1".utf8)
    private static let keySize = 48
    private static let recordSize = keySize + SHA256.size
    private static let largestSize =
        8 + recordSize * ContentDigestCache.largestCount + SHA256.size

    static func read(
        _ name: String, in directory: FileDescriptor
    ) -> [ContentDigestCache.Key: Digest] {
        // Whatever is wrong with the file: it is made anew, and files are read once more.
        guard let bytes = try? load(name, in: directory), bytes.starts(with: magic),
            bytes.count >= magic.count + SHA256.size,
            (bytes.count - magic.count - SHA256.size) % recordSize == 0,
            bytes.dropLast(SHA256.size).withUnsafeBytes({ SHA256.digest(of: $0) })
                == Array(bytes.suffix(SHA256.size))
        else { return [:] }
        var known: [ContentDigestCache.Key: Digest] = [:]
        bytes.withUnsafeBytes { bytes in
            var offset = magic.count
            while offset + recordSize <= bytes.count - SHA256.size {
                let record = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + recordSize])
                known[ContentDigestCache.Key(record)] = Digest(sha256: record[keySize...])
                offset += recordSize
            }
        }
        return known
    }

    private static func load(_ name: String, in directory: FileDescriptor) throws -> [UInt8] {
        let file = try directory.open(name, [.readOnly, .noFollow], resolve: .noLinks)
        return try file.borrowed.readAll(limit: largestSize)
    }

    static func encoded(
        _ known: some Sequence<(key: ContentDigestCache.Key, value: Digest)>
    ) -> [UInt8] {
        var bytes = magic
        for (key, digest) in known {
            key.append(to: &bytes)
            bytes.append(contentsOf: digest.bytes)
        }
        return bytes + bytes.withUnsafeBytes { SHA256.digest(of: $0) }
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
