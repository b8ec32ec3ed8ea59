/// Passes bytes on from a source, and hashes and counts what has passed.
///
/// It lends the buffers of a source that lends, else its own.
public final class HashingSource: ChunkSource {
    private let source: any ByteSource
    private let chunks: (any ChunkSource)?
    private var hash = SHA256()
    private var buffer: UnsafeMutableRawBufferPointer?

    public init(_ source: any ByteSource) {
        self.source = source
        chunks = source as? any ChunkSource
    }

    deinit { buffer?.deallocate() }

    /// How many bytes have passed.
    public var count: Int64 { hash.count }

    /// The 32 bytes of the SHA-256 of what has passed. It is whole once the source has ended.
    public var digest: [UInt8] { hash.digestSoFar() }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    public func nextChunk() throws -> UnsafeRawBufferPointer {
        if let chunks {
            let chunk = try chunks.nextChunk()
            hash.update(chunk)
            return chunk
        }
        let buffer = self.buffer ?? .allocate(byteCount: 256 << 10, alignment: 64)
        self.buffer = buffer
        return UnsafeRawBufferPointer(rebasing: buffer[..<(try read(into: buffer))])
    }
}

/// Passes bytes on to a sink, and hashes and counts what has passed.
public final class HashingSink: ByteSink {
    private let sink: any ByteSink
    private var hash = SHA256()

    public init(_ sink: any ByteSink) { self.sink = sink }

    /// How many bytes have passed.
    public var count: Int64 { hash.count }

    /// The 32 bytes of the SHA-256 of what has passed.
    public var digest: [UInt8] { hash.digestSoFar() }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bytes)
        try sink.write(bytes)
    }

    public func finish() throws { try sink.finish() }
}
