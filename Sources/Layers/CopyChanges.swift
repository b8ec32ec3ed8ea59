import Linux
public import SystemPackage

/// Finds what a step changed in a copy of its image, and moves it into a directory that is then looked at as overlay's upper
/// directory is: so that a layer has the same bytes with overlay and without.
///
/// A look at every file, none of its bytes: what the step changed has a ctime later than the copy. Directories that it made or
/// moved are other inodes. Runs after every process of the step has ended.
public struct CopyChanges: ~Copyable {
    private let copy: TreeCopier.Copy
    private let source: StackSource
    private var removals = Removals()

    private init(_ copy: TreeCopier.Copy, _ source: StackSource) {
        self.copy = copy
        self.source = source
    }

    /// Moves the changes of `tree` into the empty directory `upper`.
    public static func move(
        from tree: FileDescriptor, to upper: FileDescriptor, since copy: TreeCopier.Copy,
        lower: LayerStack, trees: [FileDescriptor]
    ) throws -> Removals {
        var changes = CopyChanges(copy, StackSource(lower, trees: trees))
        let root = Target(upper: upper, path: .root, status: nil, original: tree)
        try changes.walk(tree, at: .root, into: root, depth: 0)
        try root.finish()
        return changes.removals
    }

    private mutating func walk(
        _ directory: FileDescriptor, at path: TreePath, into target: Target, depth: Int
    ) throws {
        if depth > UpperDiff.largestDepth {
            throw LayerError(
                .limit("directories are nested deeper than \(UpperDiff.largestDepth)"),
                at: Array(path.bytes.prefix(64)))
        }
        let status = try LayerError.at(path.bytes, "look at it") { () throws(Errno) in
            try directory.status()
        }
        let isTouched = status.changed > copy.finished
        let reader = DirectoryReader()
        let names = try reader.names(in: directory)
        // Before anything is moved: the place that changes go to has the times that the directory has now.
        if isTouched { try target.make() }
        for name in names {
            try take(name, in: directory, at: path.appending(name), into: target, depth: depth)
        }
        if isTouched { try findRemoved(path, names) }
    }

    private mutating func take(
        _ name: [UInt8], in directory: FileDescriptor, at path: TreePath, into target: Target,
        depth: Int
    ) throws {
        let status = try LayerError.at(path.bytes, "look at it") { () throws(Errno) in
            try directory.status(of: name)
        }
        guard status.kind == .directory else {
            if status.changed > copy.finished { try move(name, in: directory, into: target) }
            return
        }
        if copy.directories[path] != status.inode || status.born > copy.finished {
            try move(name, in: directory, into: target)
            removals.replacedDirectories.insert(path)
            return
        }
        let child = try LayerError.at(path.bytes, "open it") { () throws(Errno) in
            try directory.open(name, [.readOnly, .directory, .noFollow], resolve: .noLinks)
        }
        let place = Target(
            parent: target, path: path, status: status, original: child.borrowed)
        try walk(child.borrowed, at: path, into: place, depth: depth + 1)
        try place.finish()
    }

    private func move(_ name: [UInt8], in directory: FileDescriptor, into target: Target)
        throws(LayerError)
    {
        let upper = try target.make()
        try LayerError.at(target.path.appending(name).bytes, "move it") { () throws(Errno) in
            try directory.rename(name, to: upper, name, replacing: false)
        }
    }

    /// What the image has in a directory, and the copy has not.
    private mutating func findRemoved(_ path: TreePath, _ names: [[UInt8]]) throws {
        let there = Set(names)
        for child in try source.children(of: path) where !there.contains(child.name) {
            removals.remove(path.appending(child.name))
        }
    }

    /// The directory of the upper directory that changes of one directory go to; made for the first of them.
    private final class Target {
        let path: TreePath
        private let parent: Target?
        private let status: FileStatus?
        private let original: FileDescriptor
        private var made: FileDescriptor?
        private var owned: SharedDescriptor?

        /// The upper directory itself.
        init(upper: FileDescriptor, path: TreePath, status: FileStatus?, original: FileDescriptor) {
            (self.path, self.status, self.original) = (path, status, original)
            parent = nil
            made = upper
        }

        init(parent: Target, path: TreePath, status: FileStatus, original: FileDescriptor) {
            (self.path, self.status, self.original) = (path, status, original)
            self.parent = parent
        }

        @discardableResult
        func make() throws(LayerError) -> FileDescriptor {
            if let made { return made }
            let above = try parent!.make()
            let directory = try LayerError.at(path.bytes, "make it") { () throws(Errno) in
                try above.makeDirectory(path.name, mode: 0o700)
                return try above.open(
                    path.name, [.readOnly, .directory, .noFollow], resolve: .noLinks)
            }
            let shared = SharedDescriptor(directory)
            owned = shared
            made = shared.borrowed
            return shared.borrowed
        }

        /// Gives it what the directory had before anything was moved out of it.
        func finish() throws(LayerError) {
            guard let made else { return }
            try LayerError.at(path.bytes, "set its owner, mode and times") { () throws(Errno) in
                let now = try original.status()
                try made.setOwner(uid: now.uid, gid: now.gid)
                try made.setPermissions(now.permissions)
                try made.setAttributes(try original.extendedAttributes())
                if let status { try made.setTimes(EmptyCollection(), status.modified) }
            }
        }
    }
}
