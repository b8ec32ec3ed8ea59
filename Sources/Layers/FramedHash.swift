import Archive
import OCI

/// A hash over parts, each with its length in front, so that two different lists of parts never give the same bytes.
struct FramedHash: ~Copyable {
    private var hash = SHA256()

    /// - Parameter domain: what is hashed, and by which rules: no hash of one domain is one of another.
    init(domain: String) { add(Array(domain.utf8)) }

    mutating func add(_ bytes: [UInt8]) {
        add(UInt64(bytes.count))
        bytes.withUnsafeBytes { hash.update($0) }
    }

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: UInt64(truncatingIfNeeded: number).littleEndian) { hash.update($0) }
    }

    consuming func finish() -> Digest { Digest(sha256: hash.finish()) }
}
