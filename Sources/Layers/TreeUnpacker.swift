public import Archive
import Linux
public import SystemPackage

/// Unpacks one layer into a directory of its own, in the form that overlay wants, and lists it.
///
/// Whiteouts become character devices 0/0, opaque directories an attribute. Runs as root of namespace A, so that files get their
/// owners. Everything is opened below the tree's descriptor, and no link that the archive holds leads out of it.
///
/// On failure the tree is left half made and must be thrown away.
///
/// OCI image-spec v1.1, layer.md, "Applying Changesets".
public struct TreeUnpacker: ~Copyable {
    private let root: FileDescriptor
    private let form: TreeForm
    private var indexer = LayerIndexer()
    /// Times of directories come last: what is put into one changes them.
    private var directoryTimes: [(path: TreePath, time: FileTime)] = []
    private let directories: TreeDirectories

    private init(root: FileDescriptor, _ form: TreeForm) {
        self.root = root
        self.form = form
        directories = TreeDirectories(root: root)
    }

    /// Unpacks all entries of `tar` into the empty directory `root`.
    ///
    /// - Returns: the listing of the layer.
    public static func unpack(
        _ tar: TarReader, into root: FileDescriptor, _ form: TreeForm
    ) throws -> ListingBuilder {
        var unpacker = TreeUnpacker(root: root, form)
        while let entry = try tar.next() { try unpacker.apply(entry, tar) }
        for (path, time) in unpacker.directoryTimes.reversed() {
            try LayerError.at(path.bytes, "set its time") { () throws(Errno) in
                // Replaced by a later entry: then that has its own time.
                guard
                    let directory = try? root.open(
                        path.forSystem, [.readOnly, .directory, .noFollow])
                else { return }
                try directory.borrowed.setTimes(EmptyCollection(), time)
            }
        }
        return unpacker.indexer.listing
    }

    private mutating func apply(_ entry: TarEntry, _ tar: TarReader) throws {
        switch try indexer.take(entry) {
        case .root: try setRoot(entry)
        case .opaque(let path): try makeOpaque(path)
        case .whiteout(let path): try makeWhiteout(path)
        case .file(let placement): try create(placement, entry, tar)
        case .nothing: break
        }
    }

    // MARK: - Marks

    private mutating func makeOpaque(_ path: TreePath) throws(LayerError) {
        // Where the archive has no entry for the directory, it is made.
        if !path.isRoot { _ = try directories.parent(of: path.appending([dot])) }
        if !form.isStacked { return }
        try LayerError.at(path.bytes, "mark it opaque") { () throws(Errno) in
            let directory = try root.open(
                path.forSystem, [.readOnly, .directory], resolve: .noLinks)
            try directory.borrowed.setExtendedAttribute(
                PrivateAttribute.opaque, [UInt8(ascii: "y")])
        }
    }

    private mutating func makeWhiteout(_ path: TreePath) throws(LayerError) {
        let directory = try directories.parent(of: path)
        if !form.isStacked { return }
        try LayerError.at(path.bytes, "make its whiteout") { () throws(Errno) in
            try directory.makeNode(path.name, kind: .characterDevice, mode: 0)
        }
    }

    // MARK: - Files

    private mutating func create(
        _ placement: LayerIndexer.Placement, _ entry: TarEntry, _ tar: TarReader
    ) throws {
        let path = placement.path
        if let target = placement.linkTarget { return try createHardLink(placement, to: target) }
        let directory = try directories.parent(of: path)
        if let replaced = placement.replaced { try clear(path, replaced, in: directory) }
        try create(path, entry, tar, in: directory)
        if placement.isOpaque { try makeOpaque(path) }
    }

    private mutating func create(
        _ path: TreePath, _ entry: TarEntry, _ tar: TarReader, in directory: FileDescriptor
    ) throws {
        let name = path.name
        let mode = UInt32(entry.mode)
        switch entry.kind {
        case .file: return try createFile(path, entry, tar, in: directory)
        case .hardLink: return
        case .directory:
            try LayerError.at(path.bytes, "make the directory") { () throws(Errno) in
                do throws(Errno) { try directory.makeDirectory(name, mode: 0o700) } catch {
                    // Made for an entry before it, or named twice.
                    if error != .fileExists { throw error }
                }
            }
            directoryTimes.append((path, entry.modified.fileTime))
        case .symlink:
            try LayerError.at(path.bytes, "make the link") { () throws(Errno) in
                try directory.makeSymbolicLink(name, to: entry.linkTarget)
            }
        case .fifo:
            try LayerError.at(path.bytes, "make the fifo") { () throws(Errno) in
                try directory.makeNode(name, kind: .fifo, mode: 0o600)
            }
        case .characterDevice, .blockDevice:
            try createDevicePlaceholder(path, entry, in: directory)
        }
        try LayerError.at(path.bytes, "set its owner, mode and times") { () throws(Errno) in
            try form.give(
                name, in: directory, to: entry.uid, entry.gid, isRecordable: entry.kind.isRecordable
            )
            // After the owner: chown takes setuid and setgid away.
            if entry.kind != .symlink, !entry.kind.isDevice {
                try directory.setPermissions(name, mode)
            }
            if entry.kind != .directory { try directory.setTimes(name, entry.modified.fileTime) }
        }
        if !entry.xattrs.isEmpty {
            let file = try LayerError.at(path.bytes, "open it") { () throws(Errno) in
                try directory.open(name, [.pathOnly, .noFollow], resolve: .noLinks)
            }
            try setAttributes(of: file.borrowed, entry, path)
        }
    }

    private mutating func createFile(
        _ path: TreePath, _ entry: TarEntry, _ tar: TarReader, in directory: FileDescriptor
    ) throws {
        let file = try LayerError.at(path.bytes, "make the file") { () throws(Errno) in
            try directory.open(
                path.name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600,
                resolve: .beneath)
        }
        var end: Int64 = 0
        while let block = try tar.nextBlock() {
            try LayerError.at(path.bytes, "write it") { () throws(Errno) in
                if block.offset != end { try file.borrowed.seekAbsolutely(to: block.offset) }
                try file.borrowed.writeFully(block.bytes)
            }
            end = block.offset + Int64(block.bytes.count)
        }
        try LayerError.at(path.bytes, "set its owner, mode and times") { () throws(Errno) in
            if end < entry.size { try file.borrowed.setLength(entry.size) }
            try form.give(file.borrowed, to: entry.uid, entry.gid, isNew: true)
            // After the owner: chown takes setuid and setgid away.
            try file.borrowed.setPermissions(UInt32(entry.mode))
        }
        if !entry.xattrs.isEmpty { try setAttributes(of: file.borrowed, entry, path) }
        try LayerError.at(path.bytes, "set its time") { () throws(Errno) in
            try file.borrowed.setTimes(EmptyCollection(), entry.modified.fileTime)
        }
    }

    private mutating func createHardLink(
        _ placement: LayerIndexer.Placement, to target: TreePath
    ) throws {
        let path = placement.path
        if target == path { return }
        let directory = try directories.parent(of: path)
        if let replaced = placement.replaced { try clear(path, replaced, in: directory) }
        try LayerError.at(path.bytes, "make the hard link") { () throws(Errno) in
            let other = try root.open(
                (target.parent ?? .root).forSystem, [.pathOnly, .directory], resolve: .noLinks)
            try directory.makeHardLink(path.name, to: target.name, in: other.borrowed)
        }
    }

    /// A device can't be made in a user namespace. An empty file with mode 0 stands in for it, and what it was is on record.
    private func createDevicePlaceholder(
        _ path: TreePath, _ entry: TarEntry, in directory: FileDescriptor
    ) throws(LayerError) {
        try LayerError.at(path.bytes, "make a place for the device") { () throws(Errno) in
            let file = try directory.open(
                path.name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0, resolve: .beneath)
            let record = DeviceRecord(
                kind: entry.kind == .blockDevice ? .blockDevice : .characterDevice,
                number: DeviceNumber(major: entry.major, minor: entry.minor),
                permissions: entry.mode)
            try file.borrowed.setExtendedAttribute(PrivateAttribute.device, record.bytes)
        }
    }

    private func setAttributes(of file: FileDescriptor, _ entry: TarEntry, _ path: TreePath)
        throws(LayerError)
    {
        for attribute in entry.xattrs {
            guard let name = PrivateAttribute.nameInTree(attribute.name) else { continue }
            // Links and special files carry no attributes of users; the kernel's own rule, xattr(7).
            if entry.kind != .file, entry.kind != .directory, name.starts(with: "user.".utf8) {
                continue
            }
            try LayerError.at(path.bytes, "set attribute \(printable(name))") { () throws(Errno) in
                try file.setExtendedAttribute(name, attribute.value)
            }
        }
    }

    /// Removes what an earlier entry or whiteout of the same path left.
    private func clear(_ path: TreePath, _ old: ListingEntry, in directory: FileDescriptor) throws {
        if old.kind == .whiteout, !form.isStacked { return }
        if old.kind == .directory {
            // The directory that is kept open is the one above: what is removed is not in use.
            try removeTree(path.name, in: directory)
        } else {
            try LayerError.at(path.bytes, "replace it") { () throws(Errno) in
                try directory.unlink(path.name)
            }
        }
    }

    private mutating func setRoot(_ entry: TarEntry) throws(LayerError) {
        try LayerError.at([], "set its owner and mode") { () throws(Errno) in
            try form.give(root, to: entry.uid, entry.gid)
            try root.setPermissions(UInt32(entry.mode))
        }
        try setAttributes(of: root, entry, .root)
        directoryTimes.append((.root, entry.modified.fileTime))
    }
}

extension TarEntry.Time {
    var fileTime: FileTime { FileTime(seconds: seconds, nanoseconds: nanoseconds) }
}

extension TarEntry.Kind {
    var isDevice: Bool { self == .characterDevice || self == .blockDevice }

    /// Whether it can carry attributes of ours: a placeholder of a device is a file.
    var isRecordable: Bool { self == .file || self == .directory || isDevice }
}

extension ListingEntry {
    /// The line for an entry of a tar that is no hard link.
    init(_ entry: TarEntry) {
        let kind: Kind =
            switch entry.kind {
            case .file, .hardLink: .file
            case .directory: .directory
            case .symlink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            }
        self.init(
            kind: kind, permissions: entry.mode, uid: entry.uid, gid: entry.gid,
            modified: entry.modified.seconds,
            size: kind == .file ? UInt64(entry.size) : 0,
            linkTarget: kind == .symbolicLink ? entry.linkTarget : [])
    }
}
