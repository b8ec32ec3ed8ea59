import CCrypto

/// A SHA-256 that is fed piece by piece, by OpenSSL, which uses the CPU's own instructions.
public struct SHA256: ~Copyable {
    /// Bytes of a digest.
    public static let size = 32

    private let context: OpaquePointer
    /// How many bytes were fed.
    public private(set) var count: Int64 = 0

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, Self.algorithm, nil) == 1
        else { fatalError("libcrypto has no SHA-256") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // It fails only on a context that was never set up.
        _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        count += Int64(bytes.count)
    }

    /// The 32 bytes of the digest of what was fed.
    public consuming func finish() -> [UInt8] { Self.finish(context) }

    /// The digest of `bytes`.
    public static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    /// The digest of what was fed so far; more can be fed after.
    borrowing func digestSoFar() -> [UInt8] {
        guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1
        else { fatalError("libcrypto has no memory") }
        defer { EVP_MD_CTX_free(copy) }
        return Self.finish(copy)
    }

    private static func finish(_ context: OpaquePointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            _ = EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            count = size
        }
    }

    /// Looked up once: `EVP_sha256()` alone makes each `Init` search the providers again.
    private nonisolated(unsafe) static let algorithm: OpaquePointer? =
        // Never written after, and OpenSSL's method tables may be shared by threads.
        EVP_MD_fetch(nil, "SHA256", nil)
}
