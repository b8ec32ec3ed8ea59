/// Writes values one behind another, for another process of ours; numbers are little-endian, texts have their length before them.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ text: [UInt8]) {
        add(UInt32(text.count))
        bytes.append(contentsOf: text)
    }
}

/// Reads what `ByteWriter` wrote. The writer may have been taken over by foreign data: nothing is believed.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type = Number.self
    ) throws(LayerError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw LayerError(.damagedListing, at: []) }
        defer { position += size }
        let start = position
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Number.self))
        }
    }

    mutating func text() throws(LayerError) -> [UInt8] {
        let count = Int(try number(UInt32.self))
        guard bytes.count - position >= count else { throw LayerError(.damagedListing, at: []) }
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }

    /// A path below a root, as it is written by us: another form is refused.
    mutating func path() throws(LayerError) -> TreePath {
        let text = try text()
        guard let path = TreePath(text), path.bytes == text else {
            throw LayerError(.unsafePath, at: text)
        }
        return path
    }
}
