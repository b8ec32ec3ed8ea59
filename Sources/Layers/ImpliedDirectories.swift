import Linux
public import SystemPackage

/// Directories that some layer of a stack has no entry for, while a lower one has.
///
/// In that layer's tree such a directory was made by whoever unpacked it, and overlay would show it as made: with mode 0755 and
/// root's, whatever `/tmp` or a home directory below is like. So an upper directory gets them beforehand, as the image has them;
/// what a step does not touch there is taken back with all else that did not change.
public struct ImpliedDirectories {
    private let stack: LayerStack
    private let trees: [FileDescriptor]
    private let form: TreeForm

    public init(_ stack: LayerStack, trees: [FileDescriptor], _ form: TreeForm) {
        self.stack = stack
        self.trees = trees
        self.form = form
    }

    /// Makes them in the empty directory `upper`.
    public func make(in upper: FileDescriptor) throws(LayerError) {
        var paths: Set<TreePath> = []
        for listing in stack.listings { paths.formUnion(listing.impliedDirectories) }
        // Parents come first.
        for path in paths.sorted() { try make(path, in: upper) }
    }

    private func make(_ path: TreePath, in upper: FileDescriptor) throws(LayerError) {
        guard let (entry, layer) = stack.lookup(path), entry.kind == .directory, !entry.isImplied
        else { return }
        try makeAncestors(path, in: upper)
        try make(path, entry, of: layer, in: upper)
    }

    private func make(
        _ path: TreePath, _ entry: ListingEntry, of layer: Int, in upper: FileDescriptor
    ) throws(LayerError) {
        try LayerError.at(path.bytes, "make it as the image has it") { () throws(Errno) in
            do throws(Errno) { try upper.makeDirectory(path.bytes, mode: 0o700) } catch {
                if error != .fileExists { throw error }
            }
            let directory = try upper.open(path.bytes, [.readOnly, .directory], resolve: .noLinks)
            let old = try trees[layer].open(path.bytes, [.pathOnly, .noFollow], resolve: .noLinks)
            for attribute in try old.borrowed.extendedAttributes().carriedToLayer {
                guard let name = PrivateAttribute.nameInTree(attribute.name) else { continue }
                try directory.borrowed.setExtendedAttribute(name, attribute.value)
            }
            try form.give(directory.borrowed, to: entry.uid, entry.gid)
            try directory.borrowed.setPermissions(UInt32(entry.permissions))
            try directory.borrowed.setTimes(EmptyCollection(), FileTime(seconds: entry.modified))
        }
    }

    /// Directories on the way have to be there, and then they show: so they, too, are as the image has them.
    private func makeAncestors(_ path: TreePath, in upper: FileDescriptor) throws(LayerError) {
        var missing: [TreePath] = []
        var next = path.parent
        while let directory = next, !directory.isRoot {
            let exists = try LayerError.at(directory.bytes, "look at it") { () throws(Errno) in
                try upper.statusIfPresent(of: directory.bytes) != nil
            }
            if exists { break }
            missing.append(directory)
            next = directory.parent
        }
        for directory in missing.reversed() {
            if let (entry, layer) = stack.lookup(directory), !entry.isImplied {
                try make(directory, entry, of: layer, in: upper)
                continue
            }
            try LayerError.at(directory.bytes, "make it") { () throws(Errno) in
                try upper.makeDirectory(directory.bytes, mode: 0o755)
            }
        }
    }
}
