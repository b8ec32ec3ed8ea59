import CShims
import Glibc
public import SystemPackage

extension FileDescriptor {
    /// Reads once, at most `buffer.count` bytes; 0 at the end. Interruptions are retried.
    public func readOnce(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = Glibc.read(rawValue, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
    }

    /// Reads until `buffer` is full or the file ends; how much there was.
    public func readFully(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try readOnce(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Writes all of `bytes`.
    public func writeFully(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(rawValue, bytes.baseAddress! + written, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw Errno(rawValue: errno)
            }
        }
    }

    public func writeFully(_ bytes: [UInt8]) throws(Errno) {
        // The closure form would lose the type of the error.
        var failure: Errno?
        bytes.withUnsafeBytes { buffer in
            do throws(Errno) { try writeFully(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// The whole file, if it has at most `limit` bytes; EFBIG otherwise.
    public func readAll(limit: Int) throws(Errno) -> [UInt8] {
        var result: [UInt8] = []
        var failure: Errno?
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { chunk in
            do throws(Errno) {
                while true {
                    let count = try readOnce(into: chunk)
                    if count == 0 { return }
                    if result.count + count > limit { throw Errno.fileTooLarge }
                    result.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }

    /// The magic number of the file system; statfs(2).
    public func fileSystemType() throws(Errno) -> Int64 {
        try Errno.check(sbx_filesystem_type(rawValue))
    }
}

extension FileDescriptor {
    /// Whether nothing can be written through it.
    public func isReadOnly() throws(Errno) -> Bool {
        let flags = fcntl(rawValue, F_GETFL)
        if flags < 0 { throw Errno(rawValue: errno) }
        return flags & O_ACCMODE == O_RDONLY
    }

    /// Lets this pipe hold `size` bytes, or as many as it does where the kernel allows no more.
    public func growPipe(to size: Int) {
        let setSize: CInt = 1031  // F_SETPIPE_SZ, which Glibc's module does not show
        _ = fcntl(rawValue, setSize, CInt(size))
    }
}

/// The two ends of a pipe, close-on-exec.
public struct Pipe: ~Copyable, Sendable {
    public var reading: OwnedDescriptor
    public var writing: OwnedDescriptor

    public init() throws(Errno) {
        var ends: (CInt, CInt) = (-1, -1)
        _ = try Errno.check(
            withUnsafeMutableBytes(of: &ends) {
                sbx_pipe($0.baseAddress!.assumingMemoryBound(to: CInt.self))
            })
        reading = OwnedDescriptor(owning: ends.0)
        writing = OwnedDescriptor(owning: ends.1)
    }
}
