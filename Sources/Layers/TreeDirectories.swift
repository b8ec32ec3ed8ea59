import Linux
import SystemPackage

/// Opens the directories of a tree that is being unpacked, and makes those that its archive does not name.
///
/// The directory of the last entry stays open: it is nearly always that of the next one, too.
final class TreeDirectories {
    private let root: FileDescriptor
    private var last: (path: TreePath, descriptor: SharedDescriptor)?

    init(root: FileDescriptor) { self.root = root }

    /// Opens the directory of `path`, making what is missing of it.
    func parent(of path: TreePath) throws(LayerError) -> FileDescriptor {
        let wanted = path.parent ?? .root
        if let last, last.path == wanted { return last.descriptor.borrowed }
        let flags: OpenFlags = [.readOnly, .directory]
        var opened: OwnedDescriptor? = nil
        do { opened = try root.open(wanted.forSystem, flags, resolve: .noLinks) } catch {
            if error != .noSuchFileOrDirectory {
                throw LayerError(.system(SystemError("open its directory", error)), at: path.bytes)
            }
        }
        if opened == nil {
            try makeMissing(wanted)
            opened = try LayerError.at(path.bytes, "open its directory") { () throws(Errno) in
                try root.open(wanted.forSystem, flags, resolve: .noLinks)
            }
        }
        let directory = SharedDescriptor(opened.take()!)
        last = (wanted, directory)
        return directory.borrowed
    }

    /// Makes directories that the archive does not name. They are not listed: of them the layer says nothing.
    private func makeMissing(_ path: TreePath) throws(LayerError) {
        var directory: SharedDescriptor?
        var current = TreePath.root
        for component in path.components {
            current = current.appending(component)
            let parent = directory?.borrowed ?? root
            let inner = try LayerError.at(current.bytes, "make it") { () throws(Errno) in
                do throws(Errno) { try parent.makeDirectory(component, mode: 0o755) } catch {
                    if error != .fileExists { throw error }
                }
                return try parent.open(
                    component, [.readOnly, .directory, .noFollow], resolve: .noLinks)
            }
            directory = SharedDescriptor(inner)
        }
    }
}
