import Glibc
public import SystemPackage

/// A file descriptor with exactly one owner, closed when the owner is gone.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The descriptor, for the length of a call: the owner still closes it.
    ///
    /// Bind the owner to a name first: in `open(…).borrowed.read()` it is gone, and the descriptor closed, before `read`.
    public let borrowed: FileDescriptor

    /// Takes a descriptor over. `raw` is open, close-on-exec, and nobody else closes it.
    public init(owning raw: CInt) { borrowed = FileDescriptor(rawValue: raw) }

    /// The number, for the border to C.
    public var raw: CInt { borrowed.rawValue }

    /// Closes now, where a failed close matters: after the last write of a blob.
    public consuming func close() throws(Errno) {
        let raw = borrowed.rawValue
        discard self
        // Linux frees the number whatever close answers, so it is never tried twice.
        if Glibc.close(raw) != 0 { throw Errno(rawValue: errno) }
    }

    /// Gives the number away; the caller closes it from now on.
    public consuming func release() -> CInt {
        let raw = borrowed.rawValue
        discard self
        return raw
    }

    /// Another descriptor of the same open file, close-on-exec.
    public borrowing func duplicate() throws(Errno) -> OwnedDescriptor {
        let copy = fcntl(raw, F_DUPFD_CLOEXEC, 3)
        if copy < 0 { throw Errno(rawValue: errno) }
        return OwnedDescriptor(owning: copy)
    }

    // A failed close of something we only read, or give up, can't matter.
    deinit { _ = Glibc.close(borrowed.rawValue) }
}

extension FileDescriptor {
    /// Another descriptor of the same open file, close-on-exec, that several may hold.
    public func shared() throws(Errno) -> SharedDescriptor {
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
        if copy < 0 { throw Errno(rawValue: errno) }
        return SharedDescriptor(OwnedDescriptor(owning: copy))
    }

    /// Throws what a file system says only when a file is closed, as NFS says that its disk is full. The file stays open.
    public func checkClose() throws(Errno) {
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
        if copy < 0 || Glibc.close(copy) != 0 { throw Errno(rawValue: errno) }
    }
}

/// A descriptor that several hold, closed when the last of them is gone; and the way to keep descriptors in arrays.
public final class SharedDescriptor: Sendable {
    private let owned: OwnedDescriptor

    public init(_ owned: consuming OwnedDescriptor) { self.owned = owned }

    public var borrowed: FileDescriptor { owned.borrowed }
}
