/// Passes bytes on from a source, and hashes and counts what has passed.
public final class HashingSource: ByteSource {
    private let source: any ByteSource
    private var hash = SHA256()

    public init(_ source: any ByteSource) { self.source = source }

    /// How many bytes have passed.
    public var count: Int64 { hash.count }

    /// The 32 bytes of the SHA-256 of what has passed. It is whole once the source has ended.
    public var digest: [UInt8] { hash.digestSoFar() }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
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
