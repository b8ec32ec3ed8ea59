/// Bytes that are pulled, in order, by one thread at a time.
public protocol ByteSource: AnyObject {
    /// Fills `buffer` from its start and returns how many bytes came, 0 only at the end.
    ///
    /// `buffer` isn't empty. After the end or a throw, the source is not asked again.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A source that can show its own buffers, which saves a copy.
public protocol ChunkSource: ByteSource {
    /// The next bytes, empty at the end. They stay as they are until the next call to the source.
    func nextChunk() throws -> UnsafeRawBufferPointer
}

extension ByteSource {
    /// Reads until `buffer` is full or the source ends.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

/// Bytes that lie in memory.
public final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - position)
        bytes.withUnsafeBytes {
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        position += count
        return count
    }
}

/// The source of another, cut off with an error when more than a number of bytes come.
public final class LimitedSource: ByteSource {
    private let source: any ByteSource
    private let limit: Int64
    /// How many bytes have come so far.
    public private(set) var count: Int64 = 0

    public init(_ source: any ByteSource, limit: Int64) {
        self.source = source
        self.limit = limit
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let read = try source.read(into: buffer)
        count += Int64(read)
        if count > limit { throw ArchiveError(.limit("bytes", limit), offset: limit) }
        return read
    }
}
