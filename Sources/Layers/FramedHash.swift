import Archive
import OCI

/// A hash over parts, each with its length in front, so that two different lists of parts never give the same bytes.
struct FramedHash: ~Copyable {
    private var hash = SHA256()
    /// Parts are short and many: they are hashed by the thousand.
    private var pending: [UInt8] = []

    /// - Parameter domain: what is hashed, and by which rules: no hash of one domain is one of another.
    init(domain: String) { add(Array(domain.utf8)) }

    mutating func add(_ bytes: [UInt8]) {
        add(UInt64(bytes.count))
        pending.append(contentsOf: bytes)
        if pending.count >= Self.most { flush() }
    }

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: UInt64(truncatingIfNeeded: number).littleEndian) {
            pending.append(contentsOf: $0)
        }
        if pending.count >= Self.most { flush() }
    }

    private static let most = 16 << 10

    private mutating func flush() {
        pending.withUnsafeBytes { hash.update($0) }
        pending.removeAll(keepingCapacity: true)
    }

    consuming func finish() -> Digest {
        flush()
        return Digest(sha256: hash.finish())
    }
}
