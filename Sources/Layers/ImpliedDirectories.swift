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
        if let parent = path.parent, !parent.isRoot { try makeAncestor(parent, in: upper) }
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

    /// A directory on the way has to be there, and then it shows: so it, too, is as the image has it.
    private func makeAncestor(_ path: TreePath, in upper: FileDescriptor) throws(LayerError) {
        let exists = try LayerError.at(path.bytes, "look at it") { () throws(Errno) in
            try upper.statusIfPresent(of: path.bytes) != nil
        }
        if exists { return }
        if let parent = path.parent, !parent.isRoot { try makeAncestor(parent, in: upper) }
        if let entry = stack.entry(at: path), !entry.isImplied { return try make(path, in: upper) }
        try LayerError.at(path.bytes, "make it") { () throws(Errno) in
            try upper.makeDirectory(path.bytes, mode: 0o755)
        }
    }
}
