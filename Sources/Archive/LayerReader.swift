/// Reads a layer: hashes its blob, unpacks it, hashes the tar, and gives its entries.
///
/// The blob is read, hashed and inflated on a thread of its own, ahead of who takes the entries.
/// Neither digest is checked here, and nothing that was read is worth anything before `finish`
/// has given them and the caller has compared: bytes of a stranger come out until then.
public final class LayerReader {
    /// The entries. Used by one thread at a time, and not after `finish`.
    public let tar: TarReader

    private let blob: HashingSource
    private let ahead: ReadAhead
    private let plain: HashingSource
    /// What the blob is packed with.
    public let compression: Compression

    /// Looks at the start of `blob`, which belongs to this object's thread from now on.
    ///
    /// - Parameter allowed: any other compression is an error that names it.
    public init(
        _ blob: any ByteSource, limits: DecompressionLimits = DecompressionLimits(),
        allowed: Set<Compression> = [.none, .gzip, .zstd]
    ) throws {
        self.blob = HashingSource(blob)
        let decompressor = try Decompressor(self.blob, limits: limits, allowed: allowed)
        compression = decompressor.compression
        ahead = ReadAhead(decompressor)
        plain = HashingSource(ahead)
        tar = TarReader(plain)
    }

    /// Reads what is left of the layer and says what it was.
    public func finish() throws -> CompressedLayer {
        while try tar.next() != nil {}
        // The thread ended with the stream: the blob's hash is ours to look at.
        ahead.stop()
        return CompressedLayer(
            diffID: plain.digest, uncompressedSize: plain.count, digest: blob.digest,
            size: blob.count)
    }
}
