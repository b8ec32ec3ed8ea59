import Archive
import OCI

/// Hashes what a step's result depends on. Every part is framed by its length, so that no two lists of parts give the same bytes.
struct CacheKey: ~Copyable {
    /// Changes with the meaning of a key, or of what a step does: then nothing old is found any more.
    static let version = "lichen step 1"

    private var hash = SHA256()

    /// - Parameter kind: keeps the keys of different instructions apart.
    init(_ kind: String) {
        add(Self.version)
        add(kind)
    }

    mutating func add(_ bytes: [UInt8]) {
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update($0) }
        bytes.withUnsafeBytes { hash.update($0) }
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }
    mutating func add(_ digest: Digest) { add(digest.bytes) }

    mutating func add(_ list: [String]) {
        add(String(list.count))
        for item in list { add(item) }
    }

    /// Nothing and an empty text are two things.
    mutating func add(_ text: String?) {
        add(text == nil ? "0" : "1")
        if let text { add(text) }
    }

    /// Names files that a layer is put on, and the layer, which was made without them.
    static func joined(_ below: Digest, _ layer: Digest) -> Digest {
        var key = CacheKey("link")
        key.add(below)
        key.add(layer)
        return key.finish()
    }

    consuming func finish() -> Digest { Digest(sha256: hash.finish()) }
}
