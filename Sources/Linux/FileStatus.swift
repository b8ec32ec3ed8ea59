import CShims

/// What a directory entry is.
public enum FileKind: UInt8, Sendable {
    case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket

    /// From the type bits of a mode.
    public init?(mode: UInt32) {
        switch mode & 0o170000 {
        case 0o100000: self = .regular
        case 0o040000: self = .directory
        case 0o120000: self = .symbolicLink
        case 0o020000: self = .characterDevice
        case 0o060000: self = .blockDevice
        case 0o010000: self = .fifo
        case 0o140000: self = .socket
        default: return nil
        }
    }

    /// The type bits of a mode.
    public var modeBits: UInt32 {
        switch self {
        case .regular: 0o100000
        case .directory: 0o040000
        case .symbolicLink: 0o120000
        case .characterDevice: 0o020000
        case .blockDevice: 0o060000
        case .fifo: 0o010000
        case .socket: 0o140000
        }
    }
}

/// A point in time as the kernel keeps it.
public struct FileTime: Equatable, Comparable, Sendable {
    public var seconds: Int64
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (a: FileTime, b: FileTime) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}

/// A device number.
public struct DeviceNumber: Hashable, Sendable {
    public var major, minor: UInt32

    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// As mknod(2) takes it.
    var encoded: UInt64 {
        let (major, minor) = (UInt64(major), UInt64(minor))
        return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)
            | ((major & ~0xfff) << 32)
    }
}

/// What statx(2) tells of one file.
public struct FileStatus: Sendable {
    public var kind: FileKind
    /// Permission bits with setuid, setgid and sticky: 07777.
    public var permissions: UInt32
    public var uid, gid: UInt32
    public var linkCount: UInt32
    public var inode: UInt64
    public var size: UInt64
    public var modified, changed, born: FileTime
    /// The device of the file system that holds it.
    public var device: DeviceNumber
    /// The number of a device node.
    public var special: DeviceNumber

    public init(
        kind: FileKind, permissions: UInt32, uid: UInt32, gid: UInt32, linkCount: UInt32,
        inode: UInt64, size: UInt64, modified: FileTime, device: DeviceNumber, special: DeviceNumber
    ) {
        (self.kind, self.permissions, self.uid, self.gid) = (kind, permissions, uid, gid)
        (self.linkCount, self.inode, self.size) = (linkCount, inode, size)
        (self.modified, self.device, self.special) = (modified, device, special)
        (changed, born) = (FileTime(seconds: 0), FileTime(seconds: 0))
    }

    init(_ s: sbx_stat) {
        kind = FileKind(mode: s.mode) ?? .regular
        permissions = s.mode & 0o7777
        (uid, gid, linkCount) = (s.uid, s.gid, s.nlink)
        (inode, size) = (s.inode, s.size)
        modified = FileTime(seconds: s.mtime_seconds, nanoseconds: s.mtime_nanoseconds)
        changed = FileTime(seconds: s.ctime_seconds, nanoseconds: s.ctime_nanoseconds)
        born = FileTime(seconds: s.btime_seconds, nanoseconds: s.btime_nanoseconds)
        device = DeviceNumber(major: s.device_major, minor: s.device_minor)
        special = DeviceNumber(major: s.special_major, minor: s.special_minor)
    }

    /// Two statuses of the same inode.
    public func isSameFile(as other: FileStatus) -> Bool {
        inode == other.inode && device == other.device
    }
}
