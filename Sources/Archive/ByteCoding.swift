/// Writes values one behind another, for another process of ours; numbers are little-endian, texts have their length before them.
public struct ByteWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func add(_ text: [UInt8]) {
        add(UInt32(text.count))
        bytes.append(contentsOf: text)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }
}

/// Reads what `ByteWriter` wrote. The writer may have been taken over by foreign data: nothing is believed.
public struct ByteReader<Failure: Error> {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline var position = 0
    @usableFromInline let failure: (String) -> Failure

    /// - Parameter failure: the error for what can't be, by its words.
    public init(_ bytes: [UInt8], orElse failure: @escaping (String) -> Failure) {
        self.bytes = bytes
        self.failure = failure
    }

    @inlinable public var isAtEnd: Bool { position == bytes.count }

    @inlinable public mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type = Number.self
    ) throws(Failure) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw failure("a short number") }
        defer { position += size }
        let start = position
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Number.self))
        }
    }

    /// - Parameter limit: more bytes are an error.
    @inlinable public mutating func text(limit: Int = .max) throws(Failure) -> [UInt8] {
        let count = Int(try number(UInt32.self))
        guard count <= limit else { throw failure("a text of \(count) bytes") }
        guard bytes.count - position >= count else { throw failure("a short text") }
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }
}
