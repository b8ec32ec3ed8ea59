import Glibc
public import SystemPackage

/// The bytes of a file, mapped read-only.
///
/// For files of our own store only, which are written under another name and never change: a file that shrinks under a mapping
/// ends the process.
public final class MappedFile: @unchecked Sendable {
    // Proof of Sendable: the bytes are never written, and unmapped only when nobody has this object any more.
    public let bytes: UnsafeRawBufferPointer

    public init(_ file: FileDescriptor) throws(Errno) {
        let size = Int(try file.status().size)
        if size == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.rawValue, 0)
        if address == MAP_FAILED { throw Errno(rawValue: errno) }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let address = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }
}
