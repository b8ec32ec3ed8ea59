import Archive
import Linux
import OCI
import Store

/// Makes a layer's blob in the store: tar, hash, compress, hash, in one pass.
enum LayerPacking {
    /// - Parameter body: writes all entries and finishes the tar.
    static func pack(into store: Store, threads: Int, _ body: (TarWriter) throws -> Void) throws
        -> PackedLayer
    {
        let blob = try store.newBlob()
        let compressor = try LayerCompressor(
            kind: .standard, threads: threads, to: blob.file.borrowed)
        try body(TarWriter(to: compressor))
        let result = compressor.result
        let digest = Digest(sha256: result.digest)
        try blob.keep(as: digest)
        let descriptor = Descriptor(mediaType: .layerGzip, digest: digest, size: result.size)
        return PackedLayer(
            record: LayerRecord(diffID: Digest(sha256: result.diffID), blob: descriptor),
            compressor: "libdeflate gzip \(GzipBlockWriter.defaultLevel)")
    }
}
