public import Linux
public import SystemPackage

/// The files of another stage or image, read from the trees of its layers.
///
/// The listings say which tree holds a path and who owns it; nothing is mounted.
public final class StackSource: CopySource {
    public let origin = CopyOrigin.image
    private let stack: LayerStack
    private let trees: [FileDescriptor]

    /// - Parameter trees: of the stack's layers, in the same order, open for reading as long as this is used.
    public init(_ stack: LayerStack, trees: [FileDescriptor]) {
        precondition(stack.listings.count == trees.count, "a tree for each layer")
        self.stack = stack
        self.trees = trees
    }

    public func status(of path: TreePath) throws(SystemError) -> FileStatus? {
        guard let (layer, entry) = find(path) else { return nil }
        return try during("look at /\(printable(path.bytes))") { () throws(Errno) in
            let file = try trees[layer].open(
                path.forSystem, [.pathOnly, .noFollow], resolve: .noLinks)
            var status = try file.borrowed.status()
            guard let entry, !entry.isImplied else {
                // Made by whoever unpacked the layer, at a time that means nothing.
                status.permissions = 0o755
                (status.uid, status.gid) = (0, 0)
                status.modified = FileTime(seconds: 0)
                return status
            }
            (status.uid, status.gid) = (entry.uid, entry.gid)
            if entry.kind == .characterDevice || entry.kind == .blockDevice,
                let record = try file.borrowed.extendedAttribute(
                    String(decoding: PrivateAttribute.device, as: UTF8.self)),
                let device = DeviceRecord(record)
            {
                (status.kind, status.special) = (device.kind, device.number)
                status.permissions = UInt32(entry.permissions)
            }
            return status
        }
    }

    public func children(of directory: TreePath) throws(SystemError) -> [SourceChild] {
        var names: Set<[UInt8]> = []
        for listing in stack.listings {
            for name in listing.childNames(of: directory) { names.insert(Array(name)) }
        }
        var children: [SourceChild] = []
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            if let status = try status(of: directory.appending(name)) {
                children.append(SourceChild(name: name, status: status))
            }
        }
        return children
    }

    public func linkTarget(of path: TreePath) -> [UInt8] {
        stack.entry(at: path)?.linkTarget ?? []
    }

    public func attributes(of path: TreePath) throws(SystemError) -> [ExtendedAttribute] {
        guard let (layer, _) = find(path) else { return [] }
        return try during("read the attributes of /\(printable(path.bytes))") {
            () throws(Errno) in
            let file = try trees[layer].open(
                path.forSystem, [.pathOnly, .noFollow], resolve: .noLinks)
            return try file.borrowed.extendedAttributes()
        }
    }

    public func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor {
        try during("open /\(printable(path.bytes))") { () throws(Errno) in
            guard let (layer, _) = find(path) else { throw Errno.noSuchFileOrDirectory }
            return try trees[layer].open(
                path.forSystem, [.readOnly, .noFollow, .nonBlocking], resolve: .noLinks)
        }
    }

    /// The layer whose tree holds `path`, and what it says of it; no entry for a root that no layer speaks of.
    private func find(_ path: TreePath) -> (layer: Int, entry: ListingEntry?)? {
        if let found = stack.lookup(path) { return (found.layer, found.entry) }
        return path.isRoot ? trees.indices.last.map { ($0, nil) } : nil
    }
}
