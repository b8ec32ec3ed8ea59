import CDeflate

/// Compresses to gzip on several threads; the bytes depend on the input and the level alone.
///
/// The input is cut into blocks of a fixed size, each of which becomes a gzip member of its own
/// (RFC 1952 lets a file be any number of them). The writer's thread fills blocks, and hashes
/// each when it's full if asked to; the workers compress, and whichever has finished the next
/// block of the output writes it and what follows. Memory is `threads` + 2 blocks of input and
/// output, about 1 MiB each. No thread to be had: the caller compresses, with the same bytes.
///
/// An error of the sink or a worker comes out of the next call that needs a block. Giving the
/// writer up without `finish` stops the threads after the block they have in hand.
public final class GzipBlockWriter: LendingSink {
    /// libdeflate's levels, 1 (fast) to 12 (small).
    ///
    /// Of 400 MB of a Debian system's files on one core: level 1 3.3 s and 176 MB, level 2
    /// 4.3 s and 169 MB, level 4 5.1 s and 167 MB, level 6 7.9 s and 164 MB. Go's parallel
    /// gzip, which other engines use, takes 7.3 s for 174 MB, gzip -6 23.5 s for 165 MB.
    public static let defaultLevel = 1
    /// More threads than this are not started: the hash of the input holds them back.
    public static let mostThreads = 32

    private let ring: GzipRing
    private var threads: WorkerThreads
    private var slot: Int?
    private var filled = 0
    private var inputHash: SHA256?
    private var hasBlocks = false
    private var hasFinished = false

    /// - Parameter hashesInput: whether `inputDigest` is wanted.
    public init(
        to sink: any ByteSink, level: Int = defaultLevel, threads: Int, hashesInput: Bool = false
    ) throws {
        let wanted = min(max(threads, 1), Self.mostThreads)
        let ring = try GzipRing(sink, level: level, workers: wanted)
        self.ring = ring
        self.threads = WorkerThreads(wanted) { ring.work($0) }
        if self.threads.isEmpty { ring.workInline() }
        inputHash = hashesInput ? SHA256() : nil
    }

    deinit {
        ring.stop()
        threads.join()
    }

    /// Bytes taken so far.
    public private(set) var inputCount: Int64 = 0

    /// After `finish`: the 32 bytes of the SHA-256 of the input, where it was asked for.
    public private(set) var inputDigest: [UInt8]?

    public func room() throws -> UnsafeMutableRawBufferPointer {
        if slot == nil { slot = try ring.claim() }
        return UnsafeMutableRawBufferPointer(rebasing: ring.input(of: slot!)[filled...])
    }

    public func commit(_ count: Int) throws {
        filled += count
        if filled == GzipBlock.inputSize { try submit() }
    }

    public func finish() throws {
        guard !hasFinished else { return }
        // Nothing at all is one empty member.
        if filled > 0 || !hasBlocks {
            _ = try room()
            try submit()
        }
        try ring.drain()
        threads.join()
        try ring.finishSink()
        inputDigest = inputHash.take()?.finish()
        hasFinished = true
    }

    private func submit() throws {
        guard let slot else { return }
        let block = UnsafeRawBufferPointer(rebasing: ring.input(of: slot)[..<filled])
        self.slot = nil
        filled = 0
        hasBlocks = true
        inputCount += Int64(block.count)
        // Compressed and hashed at the same time: both only read, and the slot is given again
        // to nobody but this thread.
        ring.submit(slot, count: block.count)
        inputHash?.update(block)
    }
}

/// Threads that are joined together.
struct WorkerThreads: ~Copyable {
    private var threads: [Joinable] = []

    /// A class, since arrays hold no noncopyable values.
    private final class Joinable {
        private var thread: WorkerThread?
        init(_ thread: consuming WorkerThread) { self.thread = consume thread }
        func join() { thread.take()?.join() }
    }

    /// Starts as many of `count` threads as the system gives; each is told its number.
    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for index in 0..<count {
            guard let thread = WorkerThread({ body(index) }) else { break }
            threads.append(Joinable(thread))
        }
    }

    var isEmpty: Bool { threads.isEmpty }

    mutating func join() {
        for thread in threads { thread.join() }
        threads = []
    }
}
