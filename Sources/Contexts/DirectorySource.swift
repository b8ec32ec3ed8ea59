public import Layers
public import Linux
import SystemPackage

/// The files of a directory, as COPY sees them: everything below one descriptor, without what an ignore file names.
///
/// A directory that is ignored is seen all the same where something in it is not.
public final class DirectorySource: CopySource {
    public let origin: CopyOrigin
    private let root: OwnedDescriptor
    private let filter: (any PathFilter)?

    /// - Parameter root: open for reading.
    public init(
        _ root: consuming OwnedDescriptor, filter: (any PathFilter)? = nil,
        origin: CopyOrigin = .context
    ) {
        self.root = root
        self.filter = filter
        self.origin = origin
    }

    public func status(of path: TreePath) throws(SystemError) -> FileStatus? {
        let status = try during("look at \(words(path))") { () throws(Errno) -> FileStatus? in
            do throws(Errno) {
                let file = try root.borrowed.open(
                    path.forSystem, [.pathOnly, .noFollow], resolve: .noLinks)
                return try file.borrowed.status()
            } catch {
                if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
                throw error
            }
        }
        guard let status, try isSeen(path, status.kind) else { return nil }
        return status
    }

    public func children(of directory: TreePath) throws(SystemError) -> [SourceChild] {
        let all = try allChildren(of: directory)
        if filter == nil { return all }
        var children: [SourceChild] = []
        for child in all {
            if try isSeen(directory.appending(child.name), child.status.kind) {
                children.append(child)
            }
        }
        return children
    }

    public func linkTarget(of path: TreePath) throws(SystemError) -> [UInt8] {
        try during("read the link \(words(path))") { () throws(Errno) in
            let link = try handle(path)
            return try link.borrowed.readLink()
        }
    }

    public func attributes(of path: TreePath) throws(SystemError) -> [ExtendedAttribute] {
        try during("read the attributes of \(words(path))") { () throws(Errno) in
            let file = try handle(path)
            return try file.borrowed.extendedAttributes()
        }
    }

    public func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor {
        try during("open \(words(path))") { () throws(Errno) in
            // Should a fifo stand there by now, nobody waits for its writer.
            try root.borrowed.open(
                path.forSystem, [.readOnly, .noFollow, .nonBlocking], resolve: .noLinks)
        }
    }

    private func handle(_ path: TreePath) throws(Errno) -> OwnedDescriptor {
        try root.borrowed.open(path.forSystem, [.pathOnly, .noFollow], resolve: .noLinks)
    }

    private func words(_ path: TreePath) -> String {
        path.isRoot ? "the context" : printable(path.bytes)
    }

    // MARK: - What is seen

    private func isSeen(_ path: TreePath, _ kind: FileKind) throws(SystemError) -> Bool {
        guard let filter, !path.isRoot, !filter.includes(path.bytes) else { return true }
        guard kind == .directory, filter.mayInclude(below: path.bytes) else {
            return false
        }
        for child in try allChildren(of: path) {
            if try isSeen(path.appending(child.name), child.status.kind) { return true }
        }
        return false
    }

    private func allChildren(of path: TreePath) throws(SystemError) -> [SourceChild] {
        try during("read the directory \(words(path))") { () throws(Errno) in
            let directory = try root.borrowed.open(
                path.forSystem, [.readOnly, .directory, .noFollow], resolve: .noLinks)
            var children: [SourceChild] = []
            for name in try directory.borrowed.sortedNames() {
                // A name that went away meanwhile was never there.
                if let status = try directory.borrowed.statusIfPresent(of: name) {
                    children.append(SourceChild(name: name, status: status))
                }
            }
            return children
        }
    }
}

extension FileDescriptor {
    /// The names in this directory, sorted by their bytes.
    func sortedNames() throws(Errno) -> [[UInt8]] {
        do { return try DirectoryReader().names(in: self) } catch let error as Errno {
            throw error
        } catch {
            fatalError("reading a directory fails with an error of the kernel's")
        }
    }
}
