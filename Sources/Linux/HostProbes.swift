import CShims
import Glibc
public import SystemPackage

/// Has newuidmap and newgidmap map `uid` and `gid` for a child in a new user namespace, which ends at once.
///
/// - Throws: with the helper's own words where it refuses.
public func tryIDMaps(uid: IDMap, gid: IDMap) throws(SystemError) {
    let child = try during("start a process in a user namespace") { () throws(Errno) in
        var raw = sbx_child()
        _ = try Errno.check(sbx_probe_namespace(&raw))
        let child = Child(raw)
        guard let report = try child.nextReport() else { throw Errno.noChildProcess }
        if report.value != 0 { throw Errno(rawValue: report.value) }
        return child
    }
    try child.writeIDMapsByHelpers(uid: uid, gid: gid)
}

extension FileDescriptor {
    /// Removes what `KernelProbe.overlayBelow` made in this directory. What can't go is left to the sweep of old work.
    public func removeOverlayProbe() {
        try? unlink("lower/whiteout".utf8)
        for name in ["work/work", "work", "upper", "lower"] {
            try? removeEmptyDirectory(name.utf8)
        }
    }

    /// Makes this empty file share the blocks of `source`, where the file system can do that; ioctl_ficlone(2).
    public func shareBlocks(of source: FileDescriptor) throws(Errno) {
        _ = try Errno.check(sbx_reflink(rawValue, source.rawValue))
    }

    /// Bytes that this user may still write to this file system, and its size.
    public func diskSpace() throws(Errno) -> (available: UInt64, total: UInt64) {
        var available: UInt64 = 0
        var total: UInt64 = 0
        _ = try Errno.check(sbx_disk_space(rawValue, &available, &total))
        return (available, total)
    }
}

/// The soft and the hard limit of open files, and of processes, of this process; nil stands for no limit.
public enum OwnLimits {
    public static var openFiles: (soft: UInt64?, hard: UInt64?) {
        limit(ResourceKind.nofile.number)
    }
    public static var processes: (soft: UInt64?, hard: UInt64?) {
        limit(Int32(__RLIMIT_NPROC.rawValue))
    }

    /// Takes all that the administrator allows of open files; where that is refused, the soft limit stays.
    public static func raiseOpenFiles() {
        var value = rlimit()
        if getrlimit(ResourceKind.nofile.number, &value) != 0 { return }
        value.rlim_cur = value.rlim_max
        _ = setrlimit(ResourceKind.nofile.number, &value)
    }

    private static func limit(_ resource: Int32) -> (soft: UInt64?, hard: UInt64?) {
        var value = rlimit()
        if getrlimit(resource, &value) != 0 { return (nil, nil) }
        func number(_ raw: rlim_t) -> UInt64? { raw == rlim_t.max ? nil : UInt64(raw) }
        return (number(value.rlim_cur), number(value.rlim_max))
    }
}
