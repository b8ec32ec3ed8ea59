import CShims
import Glibc
public import SystemPackage

/// How openat2(2) may walk; openat2(2), "resolve".
public struct Resolve: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The directory is the root: absolute links and ".." stay below it, as after a chroot.
    public static let inRoot = Resolve(
        rawValue: UInt64(SBX_RESOLVE_IN_ROOT | SBX_RESOLVE_NO_MAGICLINKS))
    /// Whatever leads out of the directory is an error.
    public static let beneath = Resolve(
        rawValue: UInt64(SBX_RESOLVE_BENEATH | SBX_RESOLVE_NO_MAGICLINKS))
    /// No link anywhere on the way.
    public static let noLinks = Resolve(rawValue: UInt64(SBX_RESOLVE_NO_SYMLINKS))
    /// No mount is entered or left. Only together with another.
    static let sameMount = Resolve(rawValue: UInt64(SBX_RESOLVE_NO_XDEV))
    /// As the system does it: for paths that the user typed.
    public static let system: Resolve = []
}

/// How a file is opened. Close-on-exec always.
public struct OpenFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let readOnly: OpenFlags = []
    public static let writeOnly = OpenFlags(rawValue: UInt64(O_WRONLY))
    public static let readWrite = OpenFlags(rawValue: UInt64(O_RDWR))
    public static let create = OpenFlags(rawValue: UInt64(O_CREAT))
    public static let exclusive = OpenFlags(rawValue: UInt64(O_EXCL))
    public static let truncate = OpenFlags(rawValue: UInt64(O_TRUNC))
    public static let append = OpenFlags(rawValue: UInt64(O_APPEND))
    public static let directory = OpenFlags(rawValue: UInt64(O_DIRECTORY))
    public static let noFollow = OpenFlags(rawValue: UInt64(O_NOFOLLOW))
    public static let nonBlocking = OpenFlags(rawValue: UInt64(O_NONBLOCK))
    /// A new file without a name in the directory that is opened; `name(_:_:)` gives it one.
    public static let unnamed = OpenFlags(rawValue: UInt64(SBX_O_TMPFILE))
    /// A handle for *at calls and mounts; nothing can be read through it.
    public static let pathOnly = OpenFlags(rawValue: UInt64(SBX_O_PATH))
}

extension FileDescriptor {
    /// What relative paths of the process start from.
    public static let workingDirectory = FileDescriptor(rawValue: AT_FDCWD)

    /// Opens `path` below this directory. An empty `path` is an error of the kernel's (ENOENT), use "." for the directory.
    public func open(
        _ path: some Collection<UInt8>, _ flags: OpenFlags, mode: UInt32 = 0,
        resolve: Resolve = .beneath
    ) throws(Errno) -> OwnedDescriptor {
        let raw = withCPath(path) {
            sbx_openat2(rawValue, $0, flags.rawValue, UInt64(mode), resolve.rawValue)
        }
        return OwnedDescriptor(owning: try Errno.check(raw))
    }

    /// As `open` where there is no openat2: for the tests that compare the two.
    func openByWalking(
        _ path: some Collection<UInt8>, _ flags: OpenFlags, mode: UInt32 = 0, resolve: Resolve
    ) throws(Errno) -> OwnedDescriptor {
        let raw = withCPath(path) {
            sbx_walk_open(rawValue, $0, flags.rawValue, UInt64(mode), resolve.rawValue)
        }
        return OwnedDescriptor(owning: try Errno.check(raw))
    }

    public func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0, resolve: Resolve = .beneath
    ) throws(Errno) -> OwnedDescriptor {
        try open(path.utf8, flags, mode: mode, resolve: resolve)
    }

    /// The status of `name` in this directory, never through a last link. An empty name means this descriptor itself.
    public func status(of name: some Collection<UInt8> = EmptyCollection<UInt8>()) throws(Errno)
        -> FileStatus
    {
        var raw = sbx_stat()
        _ = try Errno.check(withCPath(name) { sbx_statx(rawValue, $0, &raw) })
        return FileStatus(raw)
    }

    /// As `status(of:)`, with "it is not there" as an answer.
    public func statusIfPresent(of name: some Collection<UInt8>) throws(Errno) -> FileStatus? {
        do { return try status(of: name) } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw error
        }
    }

    /// Where a link points. `name` may be empty for an O_PATH descriptor of a link.
    public func readLink(_ name: some Collection<UInt8> = EmptyCollection<UInt8>()) throws(Errno)
        -> [UInt8]
    {
        var length = 0
        let target = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX) + 1) { buffer, count in
            length = withCPath(name) { readlinkat(rawValue, $0, buffer.baseAddress!, buffer.count) }
            count = max(length, 0)
        }
        if length < 0 { throw Errno(rawValue: errno) }
        return target
    }

    public func makeDirectory(_ name: some Collection<UInt8>, mode: UInt32) throws(Errno) {
        try checked(withCPath(name) { mkdirat(rawValue, $0, mode) })
    }

    public func makeSymbolicLink(_ name: some Collection<UInt8>, to target: some Collection<UInt8>)
        throws(Errno)
    {
        try checked(withCPath(name) { name in withCPath(target) { symlinkat($0, rawValue, name) } })
    }

    /// A device node, a fifo or a socket's name.
    public func makeNode(
        _ name: some Collection<UInt8>, kind: FileKind, mode: UInt32,
        device: DeviceNumber = .init(major: 0, minor: 0)
    ) throws(Errno) {
        let number = UInt(device.encoded)
        try checked(withCPath(name) { mknodat(rawValue, $0, kind.modeBits | mode, number) })
    }

    public func makeHardLink(
        _ name: some Collection<UInt8>, to existing: some Collection<UInt8>,
        in directory: FileDescriptor
    ) throws(Errno) {
        try checked(
            withCPath(name) { name in
                withCPath(existing) { linkat(directory.rawValue, $0, rawValue, name, 0) }
            })
    }

    /// Gives a file that was opened without a name one in this directory; EEXIST where something has it.
    public func name(_ file: FileDescriptor, _ name: some Collection<UInt8>) throws(Errno) {
        try checked(
            withCPath(name) { name -> CInt in
                // By the descriptor itself only since Linux 6.10, or with a privilege; by /proc where that is there.
                if linkat(file.rawValue, "", rawValue, name, CInt(SBX_AT_EMPTY_PATH)) == 0 {
                    return 0
                }
                if errno != ENOENT { return -1 }
                return linkat(
                    AT_FDCWD, "/proc/self/fd/\(file.rawValue)", rawValue, name, AT_SYMLINK_FOLLOW)
            })
    }

    public func unlink(_ name: some Collection<UInt8>) throws(Errno) {
        try checked(withCPath(name) { unlinkat(rawValue, $0, 0) })
    }

    public func removeEmptyDirectory(_ name: some Collection<UInt8>) throws(Errno) {
        try checked(withCPath(name) { unlinkat(rawValue, $0, AT_REMOVEDIR) })
    }

    /// Renames within or across directories; `replacing: false` is an error (EEXIST) where the new name exists.
    public func rename(
        _ old: some Collection<UInt8>, to directory: FileDescriptor, _ new: some Collection<UInt8>,
        replacing: Bool = true
    ) throws(Errno) {
        let flags = replacing ? 0 : CUnsignedInt(SBX_RENAME_NOREPLACE)
        _ = try Errno.check(
            withCPath(old) { old in
                withCPath(new) { sbx_renameat2(rawValue, old, directory.rawValue, $0, flags) }
            })
    }

    /// Lets two names change places, in one step.
    public func exchange(
        _ name: some Collection<UInt8>, with directory: FileDescriptor,
        _ other: some Collection<UInt8>
    ) throws(Errno) {
        _ = try Errno.check(
            withCPath(name) { name in
                withCPath(other) {
                    sbx_renameat2(
                        rawValue, name, directory.rawValue, $0, CUnsignedInt(SBX_RENAME_EXCHANGE))
                }
            })
    }

    /// Owner of `name`, of a link itself.
    public func setOwner(_ name: some Collection<UInt8>, uid: UInt32, gid: UInt32) throws(Errno) {
        try checked(
            withCPath(name) {
                fchownat(rawValue, $0, uid, gid, AT_SYMLINK_NOFOLLOW | Int32(SBX_AT_EMPTY_PATH))
            })
    }

    /// Permissions of `name`, which must not be a link: chmod follows them.
    public func setPermissions(_ name: some Collection<UInt8>, _ mode: UInt32) throws(Errno) {
        try checked(withCPath(name) { fchmodat(rawValue, $0, mode, 0) })
    }

    /// Modification and access time of `name`, of a link itself. An empty name is this descriptor.
    public func setTimes(_ name: some Collection<UInt8>, _ time: FileTime) throws(Errno) {
        let value = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        try checked(
            withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
                (times[0], times[1]) = (value, value)
                return withCPath(name) {
                    utimensat(
                        rawValue, $0, times.baseAddress!,
                        AT_SYMLINK_NOFOLLOW | Int32(SBX_AT_EMPTY_PATH))
                }
            })
    }

    /// Asks the file system to put the directories in this one far from each other: attribute T of chattr(1), which ext4 heeds.
    public func spreadDirectories() throws(Errno) {
        _ = try Errno.check(sbx_spread_directories(rawValue))
    }

    /// Makes what was written durable; for a directory, its names.
    public func synchronise() throws(Errno) { try checked(fsync(rawValue)) }

    private func checked(_ result: CInt) throws(Errno) {
        if result != 0 { throw Errno(rawValue: errno) }
    }
}

extension FileDescriptor {
    /// Owner, permissions, length and position of an open file.
    public func setOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        if fchown(rawValue, uid, gid) != 0 { throw Errno(rawValue: errno) }
    }

    public func setPermissions(_ mode: UInt32) throws(Errno) {
        if fchmod(rawValue, mode) != 0 { throw Errno(rawValue: errno) }
    }

    public func setLength(_ length: Int64) throws(Errno) {
        if ftruncate(rawValue, Int(length)) != 0 { throw Errno(rawValue: errno) }
    }

    public func seekAbsolutely(to offset: Int64) throws(Errno) {
        if Glibc.lseek(rawValue, Int(offset), SEEK_SET) < 0 { throw Errno(rawValue: errno) }
    }
}
