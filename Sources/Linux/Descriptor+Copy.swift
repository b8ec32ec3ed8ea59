import CShims
import Glibc
public import SystemPackage

extension FileDescriptor {
    /// Copies at most `length` bytes from where this file stands to where `target` stands; 0 at the end.
    ///
    /// The kernel does it, and shares the blocks where the file system can; across file systems the bytes pass through here.
    public func copyOnce(to target: FileDescriptor, atMost length: Int) throws(Errno) -> Int {
        let count = sbx_copy_file_range(rawValue, target.rawValue, length)
        if count >= 0 { return count }
        let refusals = [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF, EPERM, ETXTBSY]
        guard refusals.contains(CInt(-count)) else { throw Errno(rawValue: CInt(-count)) }
        return try copyThroughMemory(to: target, atMost: length)
    }

    private func copyThroughMemory(to target: FileDescriptor, atMost length: Int) throws(Errno)
        -> Int
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(length, 1 << 20), alignment: 4096)
        defer { buffer.deallocate() }
        let count = try readOnce(into: buffer)
        try target.writeFully(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }
}
