import Archive
import Linux
import OCI
import Store

/// Makes a layer's blob in the store: tar, hash, compress, hash, in one pass.
enum LayerPacking {
    /// - Parameter body: writes all entries and finishes the tar.
    static func pack(
        into store: Store, _ encoding: LayerEncoding, threads: Int,
        _ body: (TarWriter) throws -> Void
    ) throws -> PackedLayer {
        let blob = try store.newBlob()
        let compressor = try LayerCompressor(
            kind: encoding.kind, threads: threads, to: blob.file.borrowed)
        try body(TarWriter(to: compressor))
        let result = compressor.result
        let digest = Digest(sha256: result.digest)
        try blob.keep(as: digest)
        let descriptor = Descriptor(
            mediaType: encoding.mediaType, digest: digest, size: result.size)
        return PackedLayer(
            record: LayerRecord(diffID: Digest(sha256: result.diffID), blob: descriptor),
            compressor: encoding.compressor)
    }
}

extension LayerEncoding {
    fileprivate var kind: Archive.LayerCompression {
        switch method {
        case .gzip: .gzip(level: level)
        case .zstd: .zstd(level: level)
        }
    }

    fileprivate var mediaType: MediaType {
        switch method {
        case .gzip: .layerGzip
        case .zstd: .layerZstd
        }
    }

    /// As it stands in the step's record.
    fileprivate var compressor: String {
        switch method {
        case .gzip: "libdeflate gzip \(level)"
        case .zstd: "libzstd zstd \(level)"
        }
    }
}
