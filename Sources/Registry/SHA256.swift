import CCrypto
import OCI

/// The hash of what passes by, for verification while it streams.
///
/// Unchecked, because the context may move between threads: its one owner keeps it behind a lock.
final class SHA256: @unchecked Sendable {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
        else { fatalError("libcrypto has no SHA-256") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        // It fails for a finished context only.
        _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The digest of everything so far; nothing can follow.
    func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        _ = EVP_DigestFinal_ex(context, &bytes, nil)
        return Digest(sha256: bytes)
    }

    static func digest(of bytes: [UInt8]) -> Digest {
        let hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
