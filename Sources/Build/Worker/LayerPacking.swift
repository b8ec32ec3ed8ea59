import Archive
import OCI
import Store
import SystemPackage

/// Makes a layer's blob: tar, hash, compress, hash, in one pass.
enum LayerPacking {
    /// - Parameters:
    ///   - file: a new file, which gets the blob. It is not synced.
    ///   - copy: gets the tar, too, as long as it takes it.
    ///   - body: writes all entries and finishes the tar.
    static func pack(
        into file: FileDescriptor, _ encoding: LayerEncoding, threads: Int,
        copyTo copy: FileDescriptor? = nil,
        _ body: (TarWriter) throws -> Void
    ) throws -> PackedLayer {
        let compressor = try LayerCompressor(kind: encoding.kind, threads: threads, to: file)
        if let copy {
            try body(TarWriter(to: CopyingSink(compressor, copyTo: DescriptorSink(copy))))
        } else {
            try body(TarWriter(to: compressor))
        }
        let result = compressor.result
        let digest = Digest(sha256: result.digest)
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
