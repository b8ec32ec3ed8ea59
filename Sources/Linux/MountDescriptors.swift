import CShims
public import SystemPackage

/// The flags of a mount; mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: UInt32(SBX_MOUNT_ATTR_RDONLY))
    public static let noSetUserID = MountAttributes(rawValue: UInt32(SBX_MOUNT_ATTR_NOSUID))
    public static let noDevices = MountAttributes(rawValue: UInt32(SBX_MOUNT_ATTR_NODEV))
    public static let noExecution = MountAttributes(rawValue: UInt32(SBX_MOUNT_ATTR_NOEXEC))
}

/// A file system that is being configured; fsopen(2).
public struct FileSystemContext: ~Copyable {
    private let fs: OwnedDescriptor
    private let type: String

    public init(_ type: String) throws(SystemError) {
        self.type = type
        fs = try during("open file system \(type)") { () throws(Errno) in
            OwnedDescriptor(owning: try Errno.check(sbx_fsopen(type)))
        }
    }

    public func set(_ key: String, _ value: String) throws(SystemError) {
        try step("set \(key) of \(type)", sbx_fsconfig_string(fs.raw, key, value))
    }

    public func set(_ key: String) throws(SystemError) {
        try step("set \(key) of \(type)", sbx_fsconfig_flag(fs.raw, key))
    }

    public func set(_ key: String, _ value: FileDescriptor) throws(SystemError) {
        try step("set \(key) of \(type)", sbx_fsconfig_fd(fs.raw, key, value.rawValue))
    }

    /// Whether `key` takes a descriptor on this kernel; false where it is unknown.
    public func accepts(_ key: String, _ value: FileDescriptor) -> Bool {
        sbx_fsconfig_fd(fs.raw, key, value.rawValue) >= 0
    }

    /// Makes the file system and a detached mount of it.
    public borrowing func mount(_ attributes: MountAttributes) throws(SystemError)
        -> OwnedDescriptor
    {
        try step("mount \(type)", sbx_fsconfig_create(fs.raw))
        return OwnedDescriptor(
            owning: try step("mount \(type)", sbx_fsmount(fs.raw, attributes.rawValue)))
    }

    /// Adds the kernel's own words to an error: its errno alone is often misleading.
    @discardableResult
    private borrowing func step(_ operation: String, _ result: CInt) throws(SystemError) -> CInt {
        if result >= 0 { return result }
        var words = ""
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
            if sbx_fs_message(fs.raw, buffer.baseAddress!, 512) != 0 {
                words = " (\(printable(String(cString: buffer.baseAddress!).utf8)))"
            }
        }
        throw SystemError(operation + words, Errno(rawValue: -result))
    }
}

/// A detached copy of the mount at `path`; open_tree(2).
public func cloneMount(of path: String) throws(SystemError) -> OwnedDescriptor {
    try during("bind \(path)") { () throws(Errno) in
        OwnedDescriptor(
            owning: try Errno.check(
                sbx_clone_mount(FileDescriptor.workingDirectory.rawValue, path, 0)))
    }
}

/// A detached mount of one file or directory of a tree that is mounted in this namespace.
public func cloneMount(of file: FileDescriptor) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(owning: try Errno.check(sbx_clone_mount(file.rawValue, "", 0)))
}

/// Runs `body`, which clones mounts of parts of a detached mount.
///
/// Before Linux 6.15 nothing can be cloned from a mount that is attached nowhere (EINVAL): there it is attached for the length of
/// `body`, which then runs again: over /mnt, in this mount namespace alone, whose mounts are private. The mount itself is gone
/// afterwards; its clones stay.
public func cloning<Value: ~Copyable>(
    from mount: borrowing OwnedDescriptor, _ body: () throws(Errno) -> Value
) throws(Errno) -> Value {
    do throws(Errno) { return try body() } catch {
        if error != .invalidArgument { throw error }
    }
    oldMounts.acquire()
    defer { oldMounts.release() }
    let place = try FileDescriptor.workingDirectory.open(
        "/mnt", [.pathOnly, .directory], resolve: .system)
    _ = try Errno.check(sbx_move_mount(mount.raw, place.raw))
    defer { _ = sbx_unmount_detach("/mnt") }
    return try body()
}

extension OwnedDescriptor {
    /// Sets flags of a detached mount.
    public borrowing func setMountAttributes(_ attributes: MountAttributes) throws(Errno) {
        _ = try Errno.check(sbx_set_mount_attributes(raw, attributes.rawValue, 0))
    }
}

/// Mounts an overlay as mount(2) does it, and returns a detached mount of it.
///
/// It is attached for a moment, because mount(2) knows no detached mounts: over /mnt, in this mount namespace alone, whose
/// mounts are private.
public func mountOverlay(options: String, attributes: MountAttributes) throws(SystemError)
    -> OwnedDescriptor
{
    oldMounts.acquire()
    defer { oldMounts.release() }
    try during("mount overlay") { () throws(Errno) in
        _ = try Errno.check(sbx_mount_overlay("/mnt", options, attributes.rawValue))
    }
    defer { _ = sbx_unmount_detach("/mnt") }
    return try cloneMount(of: "/mnt")
}

/// The place of `mountOverlay` is one for all threads.
private let oldMounts = Lock()

/// A mount that is attached to a directory of this process's own for as long as the value lives: parts of a mount that was
/// never attached can't be bound before Linux 6.15.
public final class AttachedMount: Sendable {
    /// The mount's root.
    public let root: SharedDescriptor
    private let place: [UInt8]

    public init(_ mount: borrowing OwnedDescriptor, at directory: FileDescriptor) throws(Errno) {
        place = try directory.ownPath()
        root = SharedDescriptor(try mount.duplicate())
        _ = try Errno.check(sbx_move_mount(mount.raw, directory.rawValue))
    }

    deinit {
        _ = withCPath(place) { sbx_unmount_detach($0) }
    }
}
