/// A view of the bytes of a source that can be asked for a number of bytes in one piece.
///
/// Where the source lends its buffers, the view lies in them and nothing is copied but what
/// straddles two.
final class InputWindow {
    private let source: any ByteSource
    private let chunks: (any ChunkSource)?
    private let storage: UnsafeMutableRawBufferPointer
    private var window = UnsafeRawBufferPointer(start: nil, count: 0)
    private var hasEnded = false
    /// The offset in the source of the next byte.
    private(set) var offset: Int64 = 0

    init(_ source: any ByteSource, capacity: Int = 256 << 10) {
        self.source = source
        chunks = source as? any ChunkSource
        storage = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { storage.deallocate() }

    /// What lies ready, without asking the source.
    var ready: UnsafeRawBufferPointer { window }

    /// The offset behind everything the source has given.
    var end: Int64 { offset + Int64(window.count) }

    /// Takes `count` of the ready bytes away.
    func consume(_ count: Int) {
        window = UnsafeRawBufferPointer(rebasing: window[count...])
        offset += Int64(count)
    }

    /// Makes at least one byte ready; false at the end of the source.
    func refill() throws -> Bool {
        if !window.isEmpty { return true }
        if hasEnded { return false }
        if let chunks {
            window = try chunks.nextChunk()
        } else {
            let count = try source.read(into: storage)
            window = UnsafeRawBufferPointer(rebasing: storage[..<count])
        }
        hasEnded = window.isEmpty
        return !hasEnded
    }

    /// Makes `count` bytes ready in one piece, or all that are left; returns whether they are.
    ///
    /// `count` is at most the capacity.
    func require(_ count: Int) throws -> Bool {
        if window.count >= count { return true }
        if window.isEmpty, try !refill() { return false }
        if window.count >= count { return true }
        // Straddles: gather in our own storage. The regions may overlap.
        var filled = window.count
        UnsafeMutableRawBufferPointer(rebasing: storage[..<filled]).copyMemory(from: window)
        while filled < count, !hasEnded {
            // A lent chunk is taken in full by copies from now on until the view is used up.
            let rest = UnsafeMutableRawBufferPointer(rebasing: storage[filled..<readEnd(count)])
            let read = try source.read(into: rest)
            hasEnded = read == 0
            filled += read
        }
        window = UnsafeRawBufferPointer(rebasing: storage[..<filled])
        return filled >= count
    }

    /// Where a read that gathers `count` bytes ends: from a lending source no more than needed,
    /// so that the next view lies in its buffers again.
    private func readEnd(_ count: Int) -> Int { chunks == nil ? storage.count : count }
}
