/// How a stream is packed.
public enum Compression: String, Equatable, Sendable, CaseIterable {
    case none, gzip, zstd, xz, bzip2

    /// The compression that `start`, the first bytes of a stream, belong to. Six bytes decide;
    /// a shorter start that fits nothing is `none`.
    public static func sniff(_ start: UnsafeRawBufferPointer) -> Compression {
        if starts(start, with: [0x1f, 0x8b]) { return .gzip }
        if starts(start, with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
        if starts(start, with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) { return .xz }
        if starts(start, with: [0x42, 0x5a, 0x68]) { return .bzip2 }
        // A skippable frame: 0x184D2A50 to 5F, little endian.
        if start.count >= 4, start[0] & 0xf0 == 0x50,
            start[1] == 0x2a, start[2] == 0x4d, start[3] == 0x18
        {
            return .zstd
        }
        return .none
    }

    private static func starts(_ start: UnsafeRawBufferPointer, with magic: [UInt8]) -> Bool {
        start.count >= magic.count && start.prefix(magic.count).elementsEqual(magic)
    }
}

/// The plain bytes of a stream, whatever it is packed with.
///
/// The packed source is read to its end before this one ends, so a hash of it is whole then.
public final class Decompressor: ByteSource {
    /// What the stream's first bytes say.
    public let compression: Compression

    private let input: InputWindow
    private let plain: any ByteSource

    /// Loads what some formats need, for a process that will open nothing any more.
    public static func prepare() { FilterSource.prepare() }

    /// Looks at the start of `source`, which may block.
    ///
    /// - Parameter allowed: any other compression is an error that names it.
    public init(
        _ source: any ByteSource, limits: DecompressionLimits = DecompressionLimits(),
        allowed: Set<Compression> = Set(Compression.allCases)
    ) throws {
        input = InputWindow(source)
        _ = try input.require(6)
        compression = Compression.sniff(input.ready)
        guard allowed.contains(compression) else {
            throw ArchiveError(.unsupported("\(compression.rawValue) compression here"))
        }
        plain =
            switch compression {
            case .none: PassedWindow(input, limit: limits.maximumOutput)
            case .gzip: GzipSource(input, limits: limits)
            case .zstd: try ZstdSource(input, limits: limits)
            case .xz: try FilterSource(input, format: .xz, limits: limits)
            case .bzip2: try FilterSource(input, format: .bzip2, limits: limits)
            }
    }

    /// How many packed bytes have been used.
    public var compressedCount: Int64 { input.offset }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try plain.read(into: buffer)
    }
}

/// What a window holds and what follows it, unchanged.
private final class PassedWindow: ByteSource {
    private let input: InputWindow
    private let limit: Int64

    init(_ input: InputWindow, limit: Int64) {
        self.input = input
        self.limit = limit
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard try input.refill() else { return 0 }
        let count = min(buffer.count, input.ready.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input.ready.prefix(count)))
        input.consume(count)
        if input.offset > limit { throw ArchiveError(.limit("bytes", limit), offset: limit) }
        return count
    }
}
