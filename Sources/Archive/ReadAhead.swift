import Linux

/// Reads a source on a thread of its own, ahead of who wants the bytes.
///
/// At most `buffers` × `size` bytes lie ready. An error of the source comes after the bytes before
/// it. The source belongs to the thread until this object has thrown, ended, been stopped or gone
/// away; only then may anyone else look at it, say for the digest of a `HashingSource`. Every
/// buffer is filled before it is handed on, so that blocks of a tar never straddle two.
public final class ReadAhead: ChunkSource {
    private let ring: Ring
    private var thread: WorkerThread?
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    private var holdsChunk = false
    private var hasFinished = false

    public init(_ source: any ByteSource, buffers: Int = 4, size: Int = 256 << 10) {
        let ring = Ring(source, buffers: buffers, size: size)
        self.ring = ring
        thread = WorkerThread { ring.run() }
        ring.isThreaded = thread != nil
    }

    deinit { stop() }

    /// Ends the thread, which may wait for one read of the source. Nothing more comes after.
    public func stop() {
        ring.stop()
        hasFinished = true
        chunk = UnsafeRawBufferPointer(start: nil, count: 0)
        thread.take()?.join()
    }

    public func nextChunk() throws -> UnsafeRawBufferPointer {
        let rest = chunk
        chunk = UnsafeRawBufferPointer(start: nil, count: 0)
        if !rest.isEmpty { return rest }
        try advance()
        defer { chunk = UnsafeRawBufferPointer(start: nil, count: 0) }
        return chunk
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if chunk.isEmpty { try advance() }
        let count = min(buffer.count, chunk.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk.prefix(count)))
        chunk = UnsafeRawBufferPointer(rebasing: chunk[count...])
        return count
    }

    private func advance() throws {
        if hasFinished { return }
        do {
            chunk = try ring.next(releasing: holdsChunk)
        } catch {
            stop()
            throw error
        }
        holdsChunk = true
        if chunk.isEmpty { stop() }
    }
}

/// The buffers between the thread and the reader.
///
/// `@unchecked Sendable`: all variables are touched under the monitor; a buffer belongs to the
/// thread while it is not counted in `filled`, to the reader from then until it is released; the
/// source is used by the thread alone, or by the reader alone where there is no thread.
private final class Ring: @unchecked Sendable {
    private let source: any ByteSource
    private let buffers: [UnsafeMutableRawBufferPointer]
    private let monitor = Monitor()
    private var counts: [Int]
    private var head = 0
    private var filled = 0
    private var end: Result<Void, any Error>?
    private var isStopped = false
    /// Set before the first `next`, by the one who made the ring.
    var isThreaded = true

    init(_ source: any ByteSource, buffers: Int, size: Int) {
        self.source = source
        self.buffers = (0..<max(buffers, 2)).map { _ in
            .allocate(byteCount: size, alignment: 64)
        }
        counts = Array(repeating: 0, count: self.buffers.count)
    }

    deinit { for buffer in buffers { buffer.deallocate() } }

    /// The body of the thread.
    func run() {
        while let index = freeIndex() {
            let outcome = Result { try source.fill(buffers[index]) }
            put(outcome, at: index)
        }
    }

    func stop() {
        monitor.locked {
            isStopped = true
            monitor.wake()
        }
    }

    /// The next filled buffer, empty at the end.
    func next(releasing: Bool) throws -> UnsafeRawBufferPointer {
        if !isThreaded {
            let count = try source.fill(buffers[0])
            return UnsafeRawBufferPointer(rebasing: buffers[0][..<count])
        }
        return try monitor.locked {
            if releasing {
                head = (head + 1) % buffers.count
                filled -= 1
                monitor.wake()
            }
            while filled == 0 {
                if let end {
                    try end.get()
                    return UnsafeRawBufferPointer(start: nil, count: 0)
                }
                monitor.wait()
            }
            return UnsafeRawBufferPointer(rebasing: buffers[head][..<counts[head]])
        }
    }

    private func freeIndex() -> Int? {
        monitor.locked {
            while filled == buffers.count, !isStopped { monitor.wait() }
            if isStopped || end != nil { return nil }
            return (head + filled) % buffers.count
        }
    }

    private func put(_ outcome: Result<Int, any Error>, at index: Int) {
        monitor.locked {
            switch outcome {
            case .success(let count):
                counts[index] = count
                if count > 0 { filled += 1 }
                if count < buffers[index].count { end = .success(()) }
            case .failure(let error): end = .failure(error)
            }
            monitor.wake()
        }
    }
}
