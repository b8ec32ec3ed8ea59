/// Sends what it reads of an archive, as `EntryStream` says.
public struct EntryStreamWriter: ~Copyable {
    /// Small frames are gathered up to this many bytes.
    private static let gathered = 128 << 10
    /// Data of fewer bytes is gathered, too: it costs less than a call of its own.
    private static let small = 16 << 10

    private let sink: any ByteSink
    private var buffer: [UInt8] = []

    public init(_ sink: any ByteSink) {
        self.sink = sink
        buffer.reserveCapacity(Self.gathered + Self.small)
    }

    /// Sends all entries of an archive, or why there are no more.
    ///
    /// - Throws: what the sink does: nobody wants them any more.
    public consuming func send(_ open: () throws -> any EntryReader) throws {
        do {
            let entries = try open()
            while let entry = try entries.next() {
                try add(entry, count: entries.count)
                while let block = try entries.nextBlock() {
                    do { try add(block) } catch { throw Unsendable(reason: error) }
                }
            }
            buffer.append(EntryStream.Frame.end.rawValue)
        } catch let error as Unsendable {
            throw error.reason
        } catch { add(error) }
        try flush()
    }

    /// Sends the answer to a question.
    public consuming func send(_ answer: Bool) throws {
        buffer.append((answer ? EntryStream.Frame.yes : .no).rawValue)
        try flush()
    }

    /// A failure of the sink, which is no word about the archive.
    private struct Unsendable: Error { var reason: any Error }

    private mutating func add(_ entry: TarEntry, count: Int) throws(Unsendable) {
        var header = ByteWriter()
        header.add(entry, count: count)
        add(.entry, header.bytes)
        do { try flush(above: Self.gathered) } catch { throw Unsendable(reason: error) }
    }

    private mutating func add(_ block: (offset: Int64, bytes: UnsafeRawBufferPointer)) throws {
        var start = 0
        while start < block.bytes.count {
            let end = min(start + EntryStream.largestData, block.bytes.count)
            var header = ByteWriter()
            header.add(block.offset + Int64(start))
            header.add(UInt32(end - start))
            buffer.append(EntryStream.Frame.data.rawValue)
            buffer += header.bytes
            let piece = UnsafeRawBufferPointer(rebasing: block.bytes[start..<end])
            if piece.count < Self.small {
                buffer.append(contentsOf: piece)
                try flush(above: Self.gathered)
            } else {
                try flush()
                try sink.write(piece)
            }
            start = end
        }
    }

    private mutating func add(_ error: any Error) {
        var frame = ByteWriter()
        let known = error as? ArchiveError
        frame.add(known ?? ArchiveError(.library("\(error)")))
        add(.failure, frame.bytes)
    }

    private mutating func add(_ kind: EntryStream.Frame, _ body: [UInt8]) {
        buffer.append(kind.rawValue)
        var length = ByteWriter()
        length.add(body)
        buffer += length.bytes
    }

    private mutating func flush(above limit: Int = 0) throws {
        if buffer.count <= limit { return }
        try buffer.withUnsafeBytes { try sink.write($0) }
        buffer.removeAll(keepingCapacity: true)
    }
}
