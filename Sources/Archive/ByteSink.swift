/// Takes bytes, in order, from one thread at a time.
public protocol ByteSink: AnyObject {
    /// Takes all of `bytes`; they may change once the call is back.
    func write(_ bytes: UnsafeRawBufferPointer) throws

    /// Says that no byte follows, and returns when everything is handed on.
    func finish() throws
}

/// A sink that lends its own buffer to be filled in place, which saves a copy.
public protocol LendingSink: ByteSink {
    /// Room for the next bytes, never empty, valid until the next call to the sink.
    func room() throws -> UnsafeMutableRawBufferPointer

    /// Takes the first `count` bytes of the room that was lent last.
    func commit(_ count: Int) throws
}

extension LendingSink {
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let room = try room()
            let count = min(room.count, rest.count)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            try commit(count)
            rest = rest.dropFirst(count)
        }
    }
}

/// Gathers small writes into large ones.
public final class BufferingSink: LendingSink {
    private let sink: any ByteSink
    private let buffer: UnsafeMutableRawBufferPointer
    private var filled = 0

    public init(_ sink: any ByteSink, capacity: Int = 256 << 10) {
        self.sink = sink
        buffer = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { buffer.deallocate() }

    public func room() throws -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
    }

    public func commit(_ count: Int) throws {
        filled += count
        if filled == buffer.count { try flush() }
    }

    public func finish() throws {
        try flush()
        try sink.finish()
    }

    private func flush() throws {
        let full = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
        filled = 0
        if !full.isEmpty { try sink.write(full) }
    }
}

/// Hands on what is written, and a copy of it to a second sink. When that one fails it is given up: the first has all bytes all the same.
public final class CopyingSink: LendingSink {
    private let sink: any LendingSink
    private var copy: (any ByteSink)?
    private var lent = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// - Parameter copy: gets the bytes in large pieces.
    public init(_ sink: any LendingSink, copyTo copy: any ByteSink) {
        self.sink = sink
        self.copy = BufferingSink(copy)
    }

    public func room() throws -> UnsafeMutableRawBufferPointer {
        lent = try sink.room()
        return lent
    }

    public func commit(_ count: Int) throws {
        // Before they are handed on: then the room is another's.
        let bytes = UnsafeRawBufferPointer(rebasing: lent[..<count])
        do { try copy?.write(bytes) } catch { copy = nil }
        try sink.commit(count)
    }

    public func finish() throws {
        do { try copy?.finish() } catch { copy = nil }
        try sink.finish()
    }
}

/// Keeps what is written in memory; for small things and tests.
public final class MemorySink: ByteSink {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
    public func finish() {}
}
