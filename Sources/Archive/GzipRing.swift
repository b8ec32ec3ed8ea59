import CDeflate
import Linux

/// The blocks on their way through the compressors.
///
/// Blocks are claimed, submitted and written in order, so block n always lies in slot n modulo
/// the number of slots, and three counters tell everything.
///
/// `@unchecked Sendable`: counters, `counts`, `done` and `error` are touched under the monitor.
/// A slot's buffers belong to the filler from `claim` to `submit`, then to the worker that took
/// it until it is done, then to the one thread that `isWriting`, until it is written. The sink
/// belongs to that thread, and to the filler once all is drained. Compressor i is worker i's.
final class GzipRing: @unchecked Sendable {
    private let sink: any ByteSink
    private let slots: Int
    private let inputs: UnsafeMutableRawBufferPointer
    private let outputs: UnsafeMutableRawBufferPointer
    private let compressors: [OpaquePointer]
    private let monitor = Monitor()

    private var counts: [Int]
    private var done: [Bool]
    private var submitted = 0
    private var taken = 0
    private var written = 0
    private var isWriting = false
    private var isStopped = false
    private var isInline = false
    private var error: (any Error)?

    init(_ sink: any ByteSink, level: Int, workers: Int) throws {
        guard (1...12).contains(level) else {
            throw ArchiveError(.unsupported("level \(level)"), format: .gzip)
        }
        self.sink = sink
        slots = workers + 2
        inputs = .allocate(byteCount: slots * GzipBlock.inputSize, alignment: 4096)
        outputs = .allocate(byteCount: slots * GzipBlock.outputSize, alignment: 4096)
        compressors = (0..<workers).compactMap { _ in libdeflate_alloc_compressor(CInt(level)) }
        counts = Array(repeating: 0, count: slots)
        done = Array(repeating: false, count: slots)
        guard compressors.count == workers else {
            throw ArchiveError(.library("no memory"), format: .gzip)
        }
    }

    deinit {
        for compressor in compressors { libdeflate_free_compressor(compressor) }
        inputs.deallocate()
        outputs.deallocate()
    }

    // MARK: The filler's side

    /// The next slot, when its block is written. Throws what stopped the others.
    func claim() throws -> Int {
        try monitor.locked {
            while error == nil, submitted - written >= slots { monitor.wait() }
            if let error { throw error }
            return submitted % slots
        }
    }

    func input(of slot: Int) -> UnsafeMutableRawBufferPointer {
        let start = slot * GzipBlock.inputSize
        return UnsafeMutableRawBufferPointer(
            rebasing: inputs[start..<start + GzipBlock.inputSize])
    }

    func submit(_ slot: Int, count: Int) {
        monitor.locked {
            counts[slot] = count
            done[slot] = false
            submitted += 1
            monitor.wake()
        }
        if isInline { work(0) }
    }

    /// Waits until all is written, and ends the workers.
    func drain() throws {
        try monitor.locked {
            while error == nil, written < submitted { monitor.wait() }
            isStopped = true
            monitor.wake()
            if let error { throw error }
        }
    }

    func stop() {
        monitor.locked {
            isStopped = true
            monitor.wake()
        }
    }

    /// After `drain` and the end of the workers.
    func finishSink() throws { try sink.finish() }

    /// Says, before the first block, that there is no worker.
    func workInline() { isInline = true }

    // MARK: The workers' side

    /// Compresses blocks until there are no more; inline, until none is waiting.
    func work(_ worker: Int) {
        while let (slot, count) = take() {
            let length = GzipBlock.compress(
                UnsafeRawBufferPointer(rebasing: input(of: slot)[..<count]),
                into: output(of: slot), with: compressors[worker])
            monitor.locked {
                counts[slot] = length
                done[slot] = true
                writeFinished()
            }
        }
    }

    private func take() -> (slot: Int, count: Int)? {
        monitor.locked {
            while taken == submitted, !isStopped, !isInline { monitor.wait() }
            if isStopped || error != nil || taken == submitted { return nil }
            let slot = taken % slots
            taken += 1
            return (slot, counts[slot])
        }
    }

    private func output(of slot: Int) -> UnsafeMutableRawBufferPointer {
        let start = slot * GzipBlock.outputSize
        return UnsafeMutableRawBufferPointer(
            rebasing: outputs[start..<start + GzipBlock.outputSize])
    }

    /// Writes the blocks that are next and done, unless another thread does so already; that
    /// one sees them before it stops.
    private func writeFinished() {
        guard !isWriting else { return }
        isWriting = true
        while error == nil, !isStopped, written < taken, done[written % slots] {
            let slot = written % slots
            let block = UnsafeRawBufferPointer(rebasing: output(of: slot)[..<counts[slot]])
            let outcome = monitor.unlocked { Result { try sink.write(block) } }
            if case .failure(let failure) = outcome { error = failure }
            done[slot] = false
            written += 1
            monitor.wake()
        }
        isWriting = false
    }
}
