import Linux
public import SystemPackage

/// Copies a stack of layers into one directory: what overlay would show, for places that have no overlay.
///
/// Blocks are shared where the file system can. Every name is a file of its own, as in overlay, where a change of one name of
/// a lower layer's hard links leaves the others as they were.
public struct TreeCopier: ~Copyable {
    /// What a later look at the copy is compared with.
    public struct Copy: Sendable {
        /// The inodes of its directories. One of another inode was made or moved by the step, with all that is in it.
        var directories: [TreePath: UInt64] = [:]
        /// Changes of the step have a later ctime, which nobody in a user namespace can set.
        var finished = FileTime(seconds: 0)
    }

    private let stack: LayerStack
    private let source: StackSource
    private let trees: [FileDescriptor]
    private let form: TreeForm
    private var copy = Copy()

    private init(_ stack: LayerStack, trees: [FileDescriptor], _ form: TreeForm) {
        self.stack = stack
        self.trees = trees
        self.form = form
        source = StackSource(stack, trees: trees)
    }

    /// Copies into the empty directory `target`, whose own attributes are the caller's.
    public static func copy(
        _ stack: LayerStack, trees: [FileDescriptor], into target: FileDescriptor, _ form: TreeForm
    ) throws -> Copy {
        var copier = TreeCopier(stack, trees: trees, form)
        if !trees.isEmpty { try copier.copyChildren(of: .root, into: target, depth: 0) }
        let root = try LayerError.at([], "look at it") { () throws(Errno) in try target.status() }
        copier.copy.directories[.root] = root.inode
        copier.copy.finished = try LayerError.at([], "wait for the clock") { () throws(Errno) in
            try Self.awaitTick(in: target, after: root)
        }
        return copier.copy
    }

    /// Copies what is in one directory of the image into the directory `target`.
    public static func copy(
        directoryAt path: String, of stack: LayerStack, trees: [FileDescriptor],
        into target: FileDescriptor, _ form: TreeForm
    ) throws {
        let resolved: LayerStack.Resolved
        do { resolved = try stack.resolve(path.utf8) } catch {
            throw LayerError(.unsafePath, at: Array(path.utf8))
        }
        guard resolved.path.isRoot || resolved.entry?.kind == .directory else {
            throw LayerError(
                .system(SystemError("copy from it", .notDirectory)), at: resolved.path.bytes)
        }
        var copier = TreeCopier(stack, trees: trees, form)
        try copier.copyChildren(of: resolved.path, into: target, depth: 0)
    }

    /// Waits until the file system's clock has gone on, so that whatever is changed from now on has a later time than what
    /// there is: the clock of ctime goes in steps of some milliseconds.
    private static func awaitTick(in root: FileDescriptor, after status: FileStatus) throws(Errno)
        -> FileTime
    {
        try root.setPermissions(status.permissions)
        let start = try root.status().changed
        // File systems count in seconds at worst.
        for _ in 0..<1500 {
            pause(seconds: 0.002)
            try root.setPermissions(status.permissions)
            if try root.status().changed > start { return start }
        }
        return start
    }

    private mutating func copyChildren(
        of path: TreePath, into target: FileDescriptor, depth: Int
    ) throws {
        if depth > UpperDiff.largestDepth {
            throw LayerError(
                .limit("directories are nested deeper than \(UpperDiff.largestDepth)"),
                at: Array(path.bytes.prefix(64)))
        }
        for child in try source.children(of: path) {
            let place = path.appending(child.name)
            if child.status.kind == .directory {
                try copyDirectory(place, child.status, into: target, depth: depth)
            } else {
                try copyFile(place, child.status, into: target)
            }
        }
    }

    private mutating func copyDirectory(
        _ path: TreePath, _ status: FileStatus, into parent: FileDescriptor, depth: Int
    ) throws {
        let directory = try LayerError.at(path.bytes, "make the directory") { () throws(Errno) in
            try parent.makeDirectory(path.name, mode: 0o700)
            return try parent.open(
                path.name, [.readOnly, .directory, .noFollow], resolve: .noLinks)
        }
        let inode = try LayerError.at(path.bytes, "look at it") { () throws(Errno) in
            try directory.borrowed.status().inode
        }
        copy.directories[path] = inode
        try copyChildren(of: path, into: directory.borrowed, depth: depth + 1)
        let attributes = try source.attributes(of: path)
        try LayerError.at(path.bytes, "set its owner, mode and times") { () throws(Errno) in
            try form.give(directory.borrowed, to: status.uid, status.gid)
            try directory.borrowed.setPermissions(status.permissions)
            try directory.borrowed.setAttributes(attributes.inTree)
            try directory.borrowed.setTimes(EmptyCollection(), status.modified)
        }
    }

    private func copyFile(
        _ path: TreePath, _ status: FileStatus, into parent: FileDescriptor
    ) throws {
        let name = path.name
        switch status.kind {
        case .symbolicLink:
            try LayerError.at(path.bytes, "make the link") { () throws(Errno) in
                try parent.makeSymbolicLink(name, to: source.linkTarget(of: path))
            }
        case .fifo:
            try LayerError.at(path.bytes, "make the fifo") { () throws(Errno) in
                try parent.makeNode(name, kind: .fifo, mode: 0o600)
                try parent.setPermissions(name, status.permissions)
            }
        default: return try copyContent(path, status, into: parent)
        }
        let file = try LayerError.at(path.bytes, "set its owner and times") { () throws(Errno) in
            try form.give(
                name, in: parent, to: status.uid, status.gid, isRecordable: false)
            try parent.setTimes(name, status.modified)
            return try parent.open(name, [.pathOnly, .noFollow], resolve: .noLinks)
        }
        let attributes = try source.attributes(of: path)
        try LayerError.at(path.bytes, "set its attributes") { () throws(Errno) in
            try file.borrowed.setAttributes(attributes.inTree)
        }
    }

    /// A file, or the placeholder of a device.
    private func copyContent(
        _ path: TreePath, _ status: FileStatus, into parent: FileDescriptor
    ) throws {
        let isDevice = status.kind != .regular
        let attributes = try source.attributes(of: path)
        let mode = isDevice ? 0 : status.permissions
        let original = try source.open(path)
        try LayerError.at(path.bytes, "copy it") { () throws(Errno) in
            let file = try parent.open(
                path.name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600,
                resolve: .noLinks)
            while try original.borrowed.copyOnce(to: file.borrowed, atMost: 1 << 30) > 0 {}
            try form.give(file.borrowed, to: status.uid, status.gid)
            // After the owner: chown takes setuid and setgid away.
            try file.borrowed.setPermissions(mode)
            try file.borrowed.setAttributes(
                attributes.inTree + attributes.filter { $0.name == PrivateAttribute.device })
            try file.borrowed.setTimes(EmptyCollection(), status.modified)
        }
    }
}

extension [ExtendedAttribute] {
    /// The layer's attributes among these of a tree, by their names in trees.
    var inTree: [ExtendedAttribute] { filter { PrivateAttribute.nameInLayer($0.name) != nil } }
}

extension FileDescriptor {
    func setAttributes(_ attributes: [ExtendedAttribute]) throws(Errno) {
        for attribute in attributes {
            try setExtendedAttribute(attribute.name, attribute.value)
        }
    }
}
