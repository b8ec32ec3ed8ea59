public import Archive
import Layers
import Linux
public import SystemPackage

/// Unpacks an archive that is a build context into an empty directory of this build's own.
///
/// An archive of a stranger: everything is made by descriptors below the directory, no link is followed on the way, and what two
/// programs could understand differently is refused. Owners count for nothing in a context, and names such as `.wh.x` mean
/// nothing special. On failure the directory is left half filled and must be thrown away.
public struct ArchiveUnpacker: ~Copyable {
    private let root: FileDescriptor
    private var records = EntryRecords()
    /// What has been made, directories without an entry included.
    private var kinds: [TreePath: TarEntry.Kind] = [:]
    private var last: (path: TreePath, directory: SharedDescriptor)?
    private var byteCount: Int64 = 0
    private var attributeBytes = 0

    private init(root: FileDescriptor) { self.root = root }

    /// Unpacks the archive whose entries these are, to its end.
    public static func unpack(_ tar: any EntryReader, into root: FileDescriptor) throws
        -> EntryRecords
    {
        var unpacker = ArchiveUnpacker(root: root)
        while let entry = try tar.next() {
            if tar.count > ContextLimits.entries || unpacker.kinds.count > ContextLimits.entries {
                throw ContextArchiveError(
                    problem: .limit("\(ContextLimits.entries) entries"), path: entry.path)
            }
            try unpacker.apply(entry, tar)
        }
        return unpacker.records
    }

    private mutating func apply(_ entry: TarEntry, _ tar: any EntryReader) throws {
        guard let path = TreePath(entry.path) else {
            throw ContextArchiveError(problem: .leavesContext, path: entry.path)
        }
        if path.isRoot {
            // What is no directory can't be the context itself.
            guard entry.kind == .directory else {
                throw ContextArchiveError(problem: .notInDirectory, path: entry.path)
            }
        } else {
            let parent = try directory(of: path)
            if try !makeRoom(for: entry, at: path, in: parent.borrowed) { return }
            try make(entry, at: path, in: parent.borrowed, tar)
            kinds[path] = entry.kind
        }
        // Another name of a file is the file: what the first one says counts.
        if entry.kind != .hardLink { try record(entry, at: path) }
    }

    // MARK: - Places

    /// The directory of `path`, which stays open for the next entry; what is missing of it is made.
    private mutating func directory(of path: TreePath) throws -> SharedDescriptor {
        let wanted = path.parent ?? .root
        if let last, last.path == wanted { return last.directory }
        var current = TreePath.root
        for component in wanted.components {
            let next = current.appending(component)
            switch kinds[next] {
            case .directory?: break
            case nil:
                let parent = try open(current)
                try at(next, "make the directory") { () throws(Errno) in
                    try parent.borrowed.makeDirectory(component, mode: 0o700)
                }
                kinds[next] = .directory
            default: throw ContextArchiveError(problem: .notInDirectory, path: path.bytes)
            }
            current = next
        }
        let directory = SharedDescriptor(try open(wanted))
        last = (wanted, directory)
        return directory
    }

    private func open(_ directory: TreePath) throws(SystemError) -> OwnedDescriptor {
        try at(directory, "open the directory") { () throws(Errno) in
            try root.open(directory.forSystem, [.readOnly, .directory], resolve: .noLinks)
        }
    }

    /// Takes away what an earlier entry put there; the later one counts, as everywhere with tar.
    ///
    /// - Returns: whether the entry is still to be made; a directory may be named twice.
    private mutating func makeRoom(
        for entry: TarEntry, at path: TreePath, in directory: FileDescriptor
    ) throws -> Bool {
        guard let old = kinds[path] else { return true }
        if old == .directory {
            if entry.kind != .directory {
                throw ContextArchiveError(problem: .replacesDirectory, path: path.bytes)
            }
            try record(entry, at: path)
            return false
        }
        if entry.kind == .hardLink, TreePath(entry.linkTarget) == path { return false }
        try at(path, "replace it") { () throws(Errno) in try directory.unlink(path.name) }
        kinds[path] = nil
        records[path] = nil
        return true
    }

    // MARK: - Files

    private mutating func make(
        _ entry: TarEntry, at path: TreePath, in directory: FileDescriptor, _ tar: any EntryReader
    ) throws {
        switch entry.kind {
        case .file: try makeFile(entry, at: path, in: directory, tar)
        case .hardLink: try makeHardLink(entry, at: path, in: directory)
        case .directory:
            try at(path, "make the directory") { () throws(Errno) in
                try directory.makeDirectory(path.name, mode: 0o700)
            }
        case .symlink:
            try at(path, "make the link") { () throws(Errno) in
                try directory.makeSymbolicLink(path.name, to: entry.linkTarget)
            }
        case .fifo:
            try at(path, "make the fifo") { () throws(Errno) in
                try directory.makeNode(path.name, kind: .fifo, mode: 0o600)
            }
        case .characterDevice, .blockDevice:
            throw ContextArchiveError(problem: .device, path: path.bytes)
        }
    }

    private mutating func makeFile(
        _ entry: TarEntry, at path: TreePath, in directory: FileDescriptor, _ tar: any EntryReader
    ) throws {
        // No sum can overflow: each is refused before the next is added.
        if entry.size > ContextLimits.bytes - byteCount {
            throw ContextArchiveError(
                problem: .limit("\(ContextLimits.bytes >> 30) GiB"), path: path.bytes)
        }
        byteCount += entry.size
        let file = try at(path, "make the file") { () throws(Errno) in
            try directory.open(
                path.name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        }
        var end: Int64 = 0
        while let block = try tar.nextBlock() {
            try at(path, "write it") { () throws(Errno) in
                if block.offset != end { try file.borrowed.seekAbsolutely(to: block.offset) }
                try file.borrowed.writeFully(block.bytes)
            }
            end = block.offset + Int64(block.bytes.count)
        }
        if end < entry.size {
            try at(path, "set its length") { () throws(Errno) in
                try file.borrowed.setLength(entry.size)
            }
        }
    }

    private mutating func makeHardLink(
        _ entry: TarEntry, at path: TreePath, in directory: FileDescriptor
    ) throws {
        guard let target = TreePath(entry.linkTarget), !target.isRoot else {
            throw ContextArchiveError(problem: .leavesContext, path: path.bytes)
        }
        // A name that is known lies in directories alone: no link can be on its way.
        guard let kind = kinds[target], kind != .directory else {
            throw ContextArchiveError(problem: .missingLinkTarget, path: path.bytes)
        }
        let other = try open(target.parent ?? .root)
        try at(path, "make the hard link") { () throws(Errno) in
            try directory.makeHardLink(path.name, to: target.name, in: other.borrowed)
        }
        records[path] = records[target]
    }

    private mutating func record(_ entry: TarEntry, at path: TreePath) throws {
        attributeBytes += entry.xattrs.reduce(0) { $0 + $1.name.count + $1.value.count }
        if attributeBytes > ContextLimits.attributes {
            throw ContextArchiveError(
                problem: .limit("\(ContextLimits.attributes >> 20) MiB of extended attributes"),
                path: path.bytes)
        }
        records[path] = EntryRecords.Record(
            permissions: UInt32(entry.mode),
            modified: FileTime(
                seconds: entry.modified.seconds, nanoseconds: entry.modified.nanoseconds),
            attributes: entry.xattrs.map { ExtendedAttribute(name: $0.name, value: $0.value) })
    }

    private func at<Value: ~Copyable>(
        _ path: TreePath, _ operation: String, _ body: () throws(Errno) -> Value
    ) throws(SystemError) -> Value {
        try during("\(printable(path.bytes)): \(operation)", body)
    }
}
