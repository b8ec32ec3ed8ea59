import Archive
import Layers
import Linux
import SystemPackage

/// Makes an image's files below a directory, without any privilege, so that the user can use and remove them.
///
/// Everything is opened below the directory's descriptor and no link is followed on the way: no image writes outside.
final class LocalTree {
    private(set) var omissions = LocalOmissions()
    private let root: FileDescriptor
    private let checkCancellation: @Sendable () throws -> Void
    /// Times of directories come last: what is put into one changes them.
    private var directoryTimes: [(path: TreePath, time: FileTime)] = []
    /// Devices that were left out: links to them are, too.
    private var omitted: Set<TreePath> = []
    /// The directory of the last entry, which is nearly always that of the next one, too.
    private var parent: (path: TreePath, directory: SharedDescriptor)?

    private static let strict: Resolve = [.beneath, .noLinks]
    private static let directoryFlags: OpenFlags = [.readOnly, .directory, .noFollow]

    init(_ root: FileDescriptor, checkCancellation: @escaping @Sendable () throws -> Void) {
        self.root = root
        self.checkCancellation = checkCancellation
    }

    func add(_ entry: TarEntry, _ walk: LayerWalk) throws {
        guard let path = TreePath(entry.path) else {
            throw ExportError(.unwritableFile(entry.path, reason: "the path leaves the image"))
        }
        // The directory is the user's own.
        if path.isRoot { return }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            omissions.devices += 1
            omitted.insert(path)
            return
        }
        let holder = try directory(of: path)
        let directory = holder.borrowed
        switch entry.kind {
        case .file: try makeFile(path, entry, walk, in: directory)
        case .directory: try makeDirectory(path, entry, in: directory)
        case .symlink:
            try replacing(path, in: directory) { () throws(Errno) in
                try directory.makeSymbolicLink(path.name, to: entry.linkTarget)
                try directory.setTimes(path.name, entry.modified.fileTime)
            }
        case .fifo:
            try replacing(path, in: directory) { () throws(Errno) in
                try directory.makeNode(path.name, kind: .fifo, mode: 0o600)
                try directory.setPermissions(path.name, UInt32(entry.mode & 0o777))
                try directory.setTimes(path.name, entry.modified.fileTime)
            }
        case .hardLink: return try makeHardLink(path, entry, in: directory)
        case .characterDevice, .blockDevice: return
        }
        count(entry)
        withExtendedLifetime(holder) {}
    }

    /// Sets what could not be set before all files were there.
    func finish() throws {
        for (path, time) in directoryTimes {
            try at(path) { () throws(Errno) in
                let directory = try root.open(
                    path.bytes, Self.directoryFlags, resolve: Self.strict)
                try directory.borrowed.setTimes(EmptyCollection(), time)
            }
        }
    }

    private func count(_ entry: TarEntry) {
        if entry.kind != .symlink, entry.mode & 0o6000 != 0 { omissions.elevated += 1 }
        if entry.uid != 0 || entry.gid != 0 { omissions.owners += 1 }
    }

    // MARK: - Files

    private func makeFile(
        _ path: TreePath, _ entry: TarEntry, _ walk: LayerWalk, in directory: FileDescriptor
    ) throws {
        let file = try replacing(path, in: directory) { () throws(Errno) in
            SharedDescriptor(
                try directory.open(
                    path.name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600,
                    resolve: Self.strict))
        }
        let descriptor = file.borrowed
        var end: Int64 = 0
        while let block = try walk.nextBlock() {
            try checkCancellation()
            try at(path) { () throws(Errno) in
                if block.offset != end { try descriptor.seekAbsolutely(to: block.offset) }
                try descriptor.writeFully(block.bytes)
            }
            end = block.offset + Int64(block.bytes.count)
        }
        try at(path) { () throws(Errno) in
            if end < entry.size { try descriptor.setLength(entry.size) }
        }
        setAttributes(of: descriptor, entry)
        try at(path) { () throws(Errno) in
            try descriptor.setPermissions(UInt32(entry.mode & 0o1777))
            try descriptor.setTimes(EmptyCollection(), entry.modified.fileTime)
            try descriptor.checkClose()
        }
        withExtendedLifetime(file) {}
    }

    /// The user may always enter, read and change a directory: else nobody could remove it.
    private func makeDirectory(
        _ path: TreePath, _ entry: TarEntry, in directory: FileDescriptor
    ) throws {
        let made = try replacing(path, in: directory) { () throws(Errno) in
            do throws(Errno) { try directory.makeDirectory(path.name, mode: 0o700) } catch {
                // Made for what is in it, or named twice. A file in its place is an error of the next call.
                if error != .fileExists { throw error }
            }
            do throws(Errno) {
                return SharedDescriptor(
                    try directory.open(
                        path.name, Self.directoryFlags, resolve: Self.strict))
            } catch {
                throw error == .notDirectory || error == .tooManySymbolicLinkLevels
                    ? .fileExists : error
            }
        }
        setAttributes(of: made.borrowed, entry)
        try at(path) { () throws(Errno) in
            try made.borrowed.setPermissions(UInt32(entry.mode & 0o1777 | 0o700))
        }
        directoryTimes.append((path, entry.modified.fileTime))
    }

    private func makeHardLink(
        _ path: TreePath, _ entry: TarEntry, in directory: FileDescriptor
    ) throws {
        guard let target = TreePath(entry.linkTarget), let parent = target.parent else {
            throw ExportError(.unwritableFile(path.bytes, reason: "a hard link to nothing"))
        }
        if omitted.contains(target) {
            omissions.devices += 1
            omitted.insert(path)
            return
        }
        try replacing(path, in: directory) { () throws(Errno) in
            let other = try root.open(
                parent.forSystem, [.pathOnly, .directory], resolve: Self.strict)
            try directory.makeHardLink(path.name, to: target.name, in: other.borrowed)
        }
    }

    /// Keeps what the user could have written; the rest is counted.
    private func setAttributes(of file: FileDescriptor, _ entry: TarEntry) {
        for attribute in entry.xattrs {
            do throws(Errno) {
                if !attribute.name.starts(with: "user.".utf8) { throw .notPermitted }
                try file.setExtendedAttribute(attribute.name, attribute.value)
            } catch {
                omissions.attributes += 1
            }
        }
    }

    // MARK: - Paths

    /// Opens the directory of `path`, making what is missing of it.
    private func directory(of path: TreePath) throws -> SharedDescriptor {
        let wanted = path.parent ?? .root
        if let parent, parent.path == wanted { return parent.directory }
        let opened = try at(path) { () throws(Errno) in
            do throws(Errno) { return try openDirectory(wanted) } catch {
                if error != .noSuchFileOrDirectory { throw error }
            }
            var current = TreePath.root
            for component in wanted.components {
                let parent = try openDirectory(current)
                do throws(Errno) {
                    try parent.borrowed.makeDirectory(component, mode: 0o755)
                } catch {
                    if error != .fileExists { throw error }
                }
                current = current.appending(component)
                withExtendedLifetime(parent) {}
            }
            return try openDirectory(wanted)
        }
        parent = (wanted, opened)
        return opened
    }

    private func openDirectory(_ path: TreePath) throws(Errno) -> SharedDescriptor {
        SharedDescriptor(try root.open(path.forSystem, Self.directoryFlags, resolve: Self.strict))
    }

    /// Makes something at `path`, in place of what an entry before it made there.
    private func replacing<Value>(
        _ path: TreePath, in directory: FileDescriptor, _ make: () throws(Errno) -> Value
    ) throws -> Value {
        do { return try make() } catch {
            if error != .fileExists { throw failure(error, path) }
        }
        try removeTree(path.name, in: directory)
        return try at(path, make)
    }

    private func at<Value>(_ path: TreePath, _ body: () throws(Errno) -> Value) throws(ExportError)
        -> Value
    {
        do { return try body() } catch { throw failure(error, path) }
    }

    private func failure(_ error: Errno, _ path: TreePath) -> ExportError {
        ExportError(.unwritableFile(path.bytes, reason: error.inWords))
    }
}

extension TarEntry.Time {
    var fileTime: FileTime { FileTime(seconds: seconds, nanoseconds: nanoseconds) }
}
