public import SystemPackage

/// What a layer is packed with.
public enum LayerCompression: Equatable, Sendable {
    /// libdeflate's levels, 1 to 12.
    case gzip(level: Int)
    /// zstd's levels, 1 to 19.
    case zstd(level: Int)
    case none

    /// What is used when nobody asks for anything else.
    public static let standard = LayerCompression.gzip(level: GzipBlockWriter.defaultLevel)
}

/// What came of a layer.
public struct CompressedLayer: Equatable, Sendable {
    /// The 32 bytes of the SHA-256 of the tar.
    public var diffID: [UInt8]
    /// Bytes of the tar.
    public var uncompressedSize: Int64
    /// The 32 bytes of the SHA-256 of the blob.
    public var digest: [UInt8]
    /// Bytes of the blob.
    public var size: Int64
}

/// Packs a layer into an open file and hashes both sides of it.
///
/// Same bytes in, same bytes out, for any number of threads and on any CPU. One thread feeds it;
/// the threads it starts end with `finish`, or when it goes away. The file is neither synced nor
/// closed.
public final class LayerCompressor: LendingSink {
    private let inner: any LendingSink
    private let gzip: GzipBlockWriter?
    private let plain: HashingSink?
    private let blob: HashingSink

    /// - Parameter threads: how many may compress at the same time, at least 1.
    public init(
        kind: LayerCompression = .standard, threads: Int, to file: FileDescriptor
    ) throws {
        blob = HashingSink(DescriptorSink(file, called: "a layer"))
        switch kind {
        case .gzip(let level):
            let writer = try GzipBlockWriter(
                to: blob, level: level, threads: threads, hashesInput: true)
            (inner, gzip, plain) = (writer, writer, nil)
        case .zstd(let level):
            let writer = try ZstdWriter(to: blob, level: level, threads: threads)
            let hashing = HashingSink(writer)
            (inner, gzip, plain) = (BufferingSink(hashing), nil, hashing)
        case .none:
            (inner, gzip, plain) = (BufferingSink(blob), nil, nil)
        }
    }

    public func room() throws -> UnsafeMutableRawBufferPointer { try inner.room() }
    public func commit(_ count: Int) throws { try inner.commit(count) }
    public func write(_ bytes: UnsafeRawBufferPointer) throws { try inner.write(bytes) }

    /// Ends the layer; `result` is whole then.
    public func finish() throws { try inner.finish() }

    /// After `finish`: hashes and sizes of both sides.
    public var result: CompressedLayer {
        let digest = blob.digest
        return CompressedLayer(
            diffID: gzip?.inputDigest ?? plain?.digest ?? digest,
            uncompressedSize: gzip?.inputCount ?? plain?.count ?? blob.count,
            digest: digest, size: blob.count)
    }
}
