/// Bytes at a fixed address, for C structs that point to them.
final class ByteMemory {
    let start: UnsafeRawPointer
    let count: Int

    init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(bytes.count, 1), alignment: 8)
        memory.copyBytes(from: bytes)
        start = UnsafeRawPointer(memory.baseAddress!)
        count = bytes.count
    }

    deinit { start.deallocate() }
}
