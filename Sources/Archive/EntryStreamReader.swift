/// The entries that another process reads, checked: it may have been taken over by the archive.
///
/// What comes out is what an archive could say as well, no more.
public final class EntryStreamReader: EntryReader {
    public private(set) var count = 0

    private let window: InputWindow
    /// What the data of the entry that came last may still be.
    private var size: Int64 = 0
    private var position: Int64 = 0
    /// Of the frame of data that is being read.
    private var left = 0
    private var hasEnded = false
    private var refusal: ArchiveError?

    public init(_ source: any ByteSource) {
        window = InputWindow(source, capacity: EntryStream.largestHeader + (1 << 20))
    }

    /// The answer to a question.
    public func answer() throws -> Bool {
        switch try frame() {
        case .yes: return true
        case .no: return false
        case .failure: throw try failure()
        default: throw EntryStreamError.malformed("another answer than asked for")
        }
    }

    public func next() throws -> TarEntry? {
        if let refusal { throw refusal }
        if hasEnded { return nil }
        while try nextBlock() != nil {}
        switch try frame() {
        case .entry:
            var header = FrameReader(try body())
            let next = try header.entry()
            guard next.count > count else { throw EntryStreamError.malformed("a wrong count") }
            count = next.count
            (size, position) = (next.entry.kind == .file ? next.entry.size : 0, 0)
            return next.entry
        case .end:
            hasEnded = true
            return nil
        case .failure: throw try failure()
        default: throw EntryStreamError.malformed("no entry where one has to be")
        }
    }

    public func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
        if left == 0, try !beginData() { return nil }
        guard try window.refill() else { throw EntryStreamError.ended }
        let bytes = UnsafeRawBufferPointer(rebasing: window.ready.prefix(left))
        window.consume(bytes.count)
        left -= bytes.count
        defer { position += Int64(bytes.count) }
        return (position, bytes)
    }

    /// Whether data is what comes next; its header is read then.
    private func beginData() throws -> Bool {
        if hasEnded || refusal != nil { return false }
        guard try window.require(1) else { throw EntryStreamError.ended }
        // In the middle of a file: what has come of it must not pass for all of it.
        if window.ready[0] == EntryStream.Frame.failure.rawValue {
            window.consume(1)
            throw try failure()
        }
        guard window.ready[0] == EntryStream.Frame.data.rawValue else { return false }
        var header = FrameReader(try take(1 + 8 + 4, after: 1))
        let (offset, length) = (try header.number(Int64.self), Int(try header.number(UInt32.self)))
        guard offset >= position, offset <= size, length > 0, length <= EntryStream.largestData,
            Int64(length) <= size - offset
        else { throw EntryStreamError.malformed("data outside of its file") }
        (position, left) = (offset, length)
        return true
    }

    private func failure() throws -> ArchiveError {
        var frame = FrameReader(try body())
        let error = try frame.archiveError()
        refusal = error
        return error
    }

    private func frame() throws -> EntryStream.Frame {
        let byte = try take(1)[0]
        guard let frame = EntryStream.Frame(rawValue: byte) else {
            throw EntryStreamError.malformed("frame \(byte)")
        }
        return frame
    }

    private func body() throws -> [UInt8] {
        var length = FrameReader(try take(4))
        let count = Int(try length.number(UInt32.self))
        guard count <= EntryStream.largestHeader else {
            throw EntryStreamError.malformed("a header of \(count) bytes")
        }
        return try take(count)
    }

    /// The next `count` bytes, without the first `skipped`.
    private func take(_ count: Int, after skipped: Int = 0) throws -> [UInt8] {
        guard try window.require(count) else { throw EntryStreamError.ended }
        let bytes = Array(window.ready[skipped..<count])
        window.consume(count)
        return bytes
    }
}
