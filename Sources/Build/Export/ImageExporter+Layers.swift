import Archive
import Layers
import Linux
import OCI
import Store

/// Reads a blob, and keeps it open as long as somebody does.
private final class BlobSource: ByteSource {
    private let blob: SharedDescriptor
    private let source: DescriptorSource

    init(_ blob: SharedDescriptor, of digest: Digest) {
        self.blob = blob
        source = DescriptorSource(blob.borrowed, called: "layer \(digest)")
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try source.read(into: buffer)
    }
}

extension ImageExporter {
    /// Starts to read a layer; another thread inflates it.
    func walk(_ layer: LayerRecord) throws -> LayerWalk {
        let blob = BlobSource(try open(layer.blob), of: layer.blob.digest)
        do {
            let plain = try Decompressor(blob, allowed: [.none, .gzip, .zstd])
            return LayerWalk(ReadAhead(plain), blob: layer.blob.digest)
        } catch let error as ArchiveError {
            throw damage(layer, "\(error)")
        }
    }

    private func damage(_ layer: LayerRecord, _ reason: String) -> ExportError {
        ExportError(.damagedBlob(layer.blob.digest, reason: reason), hint: "lichen store check")
    }

    /// The listings of all layers. One that was never made is made from the blob, and kept.
    func listings(of image: ExportableImage) throws -> [Listing] {
        try image.layers.map { layer in
            try checkCancellation()
            do { return try store.listing(making: layer) } catch let error as ArchiveError {
                throw damage(layer, "\(error)")
            } catch let error as LayerError { throw damage(layer, error.description) }
        }
    }
}
