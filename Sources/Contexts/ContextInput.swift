public import Archive
public import SystemPackage

/// A context, or a Dockerfile in its place, as it comes through a file, a pipe or a socket.
public final class ContextInput: ByteSource {
    /// A tar's first block. It always has zero bytes, and no Dockerfile has one.
    private static let firstBlock = 512

    private let source: PatientSource
    /// The bytes that have been read to see what it is.
    public private(set) var start: [UInt8] = []
    private var position = 0

    /// Reads its first bytes.
    ///
    /// - Parameters:
    ///   - descriptor: stays the caller's, and open as long as this is used.
    ///   - checkCancellation: asked again and again; what it throws ends the reading.
    public init(_ descriptor: FileDescriptor, checkCancellation: @escaping () throws -> Void)
        throws
    {
        source = PatientSource(descriptor, checkCancellation: checkCancellation)
        start = try take(Self.firstBlock)
    }

    public var isEmpty: Bool { start.isEmpty }

    /// Whether it is an archive, packed or not; else it is text. By its bytes alone, as in Docker.
    public var isArchive: Bool {
        start.contains(0) || start.withUnsafeBytes { Compression.sniff($0) } != .none
    }

    /// All of it, or its first `limit` bytes.
    public func text(limit: Int) throws -> [UInt8] {
        start.count < Self.firstBlock
            ? start : Array((start + (try take(limit - start.count))).prefix(limit))
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, start.count - position)
        if count == 0 { return try source.read(into: buffer) }
        buffer.copyBytes(from: start[position..<position + count])
        position += count
        return count
    }

    private func take(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(count, 1 << 16))
        while bytes.count < count {
            let wanted = min(chunk.count, count - bytes.count)
            let came = try chunk.withUnsafeMutableBytes {
                try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
            }
            if came == 0 { break }
            bytes += chunk[..<came]
        }
        return bytes
    }
}
