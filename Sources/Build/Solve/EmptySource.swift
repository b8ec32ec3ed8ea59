import Layers
import Linux
import SystemPackage

/// The context of a Dockerfile that came alone: a directory with nothing in it.
struct EmptySource: CopySource {
    let origin = CopyOrigin.context

    var isFixed: Bool { true }

    func status(of path: TreePath) -> FileStatus? {
        guard path.isRoot else { return nil }
        let none = DeviceNumber(major: 0, minor: 0)
        return FileStatus(
            kind: .directory, permissions: 0o755, uid: 0, gid: 0, linkCount: 1, inode: 0, size: 0,
            modified: FileTime(seconds: 0), device: none, special: none)
    }

    func children(of directory: TreePath) -> [SourceChild] { [] }
    func linkTarget(of path: TreePath) throws(SystemError) -> [UInt8] { throw Self.missing }
    func attributes(of path: TreePath) -> [ExtendedAttribute] { [] }
    func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor { throw Self.missing }

    private static let missing = SystemError(
        "read a file of the empty build context", .noSuchFileOrDirectory)
}
