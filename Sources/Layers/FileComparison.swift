import Linux
import SystemPackage

/// Compares two open files to their ends, in blocks.
func haveSameBytes(_ a: FileDescriptor, _ b: FileDescriptor) throws(Errno) -> Bool {
    let size = 256 << 10
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * size, alignment: 4096)
    defer { buffer.deallocate() }
    let left = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
    let right = UnsafeMutableRawBufferPointer(rebasing: buffer[size...])
    while true {
        let count = try a.readFully(into: left)
        if try b.readFully(into: right) != count { return false }
        if count == 0 { return true }
        if !left[..<count].elementsEqual(right[..<count]) { return false }
    }
}
