import Limits
import Linux
public import SystemPackage

/// Finds what a step changed: reads the overlay's upper directory, never the image.
///
/// Runs as root of namespace A, after every process of the step has ended. The upper directory serves as the layer's tree from
/// then on, so it is made what unpacking the layer would give: without what was copied up and not changed, without sockets and
/// opaque marks that the layer does not carry, with the times that the layer has. Else a later build would see other files than
/// one that starts from the layer.
public struct UpperDiff: ~Copyable {
    private let lower: LayerStack
    private let form: TreeForm
    /// What the step removed, where the upper directory has no marks for it.
    private let removals: Removals?
    /// Owners on record; nil where the kernel keeps all of them.
    private var owners: RecordedOwners?
    /// The trees of `lower`, in the same order.
    private let trees: [FileDescriptor]
    private let upper: FileDescriptor
    private var found: [Found] = []
    /// Names of files that have several, by inode.
    private var names: [UInt64: [Int]] = [:]

    /// One name of the upper directory.
    private struct Found {
        var path: TreePath
        var status: FileStatus
        var mark: ChangeSet.Change.Mark
        var isChanged: Bool
        var isOpaque = false
        var device: DeviceRecord?
    }

    private init(
        lower: LayerStack, trees: [FileDescriptor], upper: FileDescriptor, _ form: TreeForm,
        _ removals: Removals?
    ) {
        self.lower = lower
        self.trees = trees
        self.upper = upper
        self.form = form
        self.removals = removals
        owners = form.holdsOwners(of: lower) ? nil : RecordedOwners(of: lower, form)
    }

    /// The changes in `upper` against the layers below it.
    ///
    /// - Parameters:
    ///   - rootBefore: what the upper directory itself was given before the step.
    ///   - latest: the time that later ones are set back to: `SOURCE_DATE_EPOCH`.
    ///   - removals: of a step on a copy; nil where overlay has marked in `upper` what the step removed.
    public static func changes(
        in upper: FileDescriptor, lower: LayerStack, trees: [FileDescriptor], form: TreeForm,
        rootBefore: RootAttributes, latest: Int64?, removals: Removals? = nil
    ) throws -> ChangeSet {
        var diff = UpperDiff(lower: lower, trees: trees, upper: upper, form, removals)
        try diff.readRoot(rootBefore)
        try diff.read(upper, at: .root, hidesLower: false, depth: 0)
        try diff.enterWholeLinkSets()
        diff.enterParents()
        try diff.removeUnchanged()
        try diff.setTimes(latest: latest)
        return diff.changeSet()
    }

    /// Deeper than any image is; a path that a system call takes has at most 2,048 components.
    static let largestDepth = Limit.treeDepth

    /// The longest path that a system call takes.
    private static let longestPath = 4095

    // MARK: - Reading

    private mutating func readRoot(_ before: RootAttributes) throws {
        var status = try LayerError.at([], "look at it") { () throws(Errno) in try upper.status() }
        if owners != nil {
            let record = try LayerError.at([], "read its owner") { () throws(Errno) in
                try upper.extendedAttribute(RecordedOwners.attribute)
            }
            if let owner = TreeForm.recordedOwner(record) {
                (status.uid, status.gid) = owner
            }
        }
        let attributes = try LayerError.at([], "read its attributes") { () throws(Errno) in
            try upper.extendedAttributes()
        }
        let now = RootAttributes(status, attributes.carriedToLayer)
        if now.differs(from: before) {
            found.append(Found(path: .root, status: status, mark: .entry, isChanged: true))
        }
    }

    private mutating func read(
        _ directory: FileDescriptor, at path: TreePath, hidesLower: Bool, depth: Int
    ) throws {
        if depth > Self.largestDepth {
            throw LayerError(
                .limit("directories are nested deeper than \(Self.largestDepth)"),
                at: Array(path.bytes.prefix(64)))
        }
        for name in try names(in: directory, at: path) {
            let child = path.appending(name)
            if child.bytes.count > Self.longestPath {
                throw LayerError(
                    .limit("its path is longer than \(Self.longestPath) bytes"),
                    at: Array(child.bytes.prefix(64)))
            }
            if let removals, removals.paths.contains(child) {
                var status = try LayerError.at(path.bytes, "look at it") { () throws(Errno) in
                    try directory.status()
                }
                status.kind = .characterDevice
                found.append(Found(path: child, status: status, mark: .whiteout, isChanged: true))
                continue
            }
            var status = try LayerError.at(child.bytes, "look at it") { () throws(Errno) in
                try directory.status(of: name)
            }
            if status.kind == .characterDevice, status.special == DeviceNumber(major: 0, minor: 0) {
                // Nothing to hide: the step made the file and removed it again.
                let hides = !hidesLower && lower.entry(at: child) != nil
                found.append(Found(path: child, status: status, mark: .whiteout, isChanged: hides))
                continue
            }
            if name.starts(with: Whiteout.prefix) {
                throw LayerError(.whiteoutName, at: child.bytes)
            }
            // A socket's name means nothing without its process, and no archive carries it. What it has replaced is gone.
            if status.kind == .socket {
                let hides = !hidesLower && lower.entry(at: child) != nil
                try LayerError.at(child.bytes, "take the socket away") { () throws(Errno) in
                    try directory.unlink(name)
                    if hides && form.isStacked {
                        try directory.makeNode(name, kind: .characterDevice, mode: 0)
                    }
                }
                if hides {
                    found.append(
                        Found(path: child, status: status, mark: .whiteout, isChanged: true))
                }
                continue
            }
            if owners != nil, let owner = try owners?.owner(of: child, status, in: directory) {
                (status.uid, status.gid) = owner
            }
            if status.kind == .directory {
                try readDirectory(
                    child, name, status, in: directory, hidesLower: hidesLower, depth: depth)
            } else {
                let isChanged = try hidesLower || differs(child, status, in: directory)
                if status.linkCount > 1 { names[status.inode, default: []].append(found.count) }
                var item = Found(path: child, status: status, mark: .entry, isChanged: isChanged)
                if !hidesLower { item.device = try device(child, status, in: directory) }
                found.append(item)
            }
        }
    }

    /// What is in the directory, and what is not any more, in order.
    private func names(in directory: FileDescriptor, at path: TreePath) throws -> [[UInt8]] {
        let reader = DirectoryReader()
        let there = try reader.names(in: directory)
        guard let gone = removals?.names[path] else { return there }
        return (there + gone).sorted { $0.lexicographicallyPrecedes($1) }
    }

    private mutating func readDirectory(
        _ path: TreePath, _ name: [UInt8], _ status: FileStatus, in parent: FileDescriptor,
        hidesLower: Bool, depth: Int
    ) throws {
        let directory = try LayerError.at(path.bytes, "open it") { () throws(Errno) in
            try parent.open(name, [.readOnly, .directory, .noFollow], resolve: .noLinks)
        }
        let below = hidesLower ? nil : lower.lookup(path)
        var mark: [UInt8]?
        if form.isStacked {
            mark = try LayerError.at(path.bytes, "read its attributes") { () throws(Errno) in
                try directory.borrowed.extendedAttribute("user.overlay.opaque")
            }
        }
        let isOpaque =
            mark == [UInt8(ascii: "y")] || removals?.replacedDirectories.contains(path) == true
        // Only where there is something to hide does the mark mean anything in a layer.
        let hides = isOpaque && below?.entry.kind == .directory
        if mark != nil, !hides {
            try LayerError.at(path.bytes, "take overlay's mark away") { () throws(Errno) in
                try directory.borrowed.removeExtendedAttribute(PrivateAttribute.opaque)
            }
        }
        let isChanged =
            try hides || below == nil
            || differsAsDirectory(path, directory.borrowed, status, below!)
        found.append(
            Found(path: path, status: status, mark: .entry, isChanged: isChanged, isOpaque: hides))
        try read(
            directory.borrowed, at: path, hidesLower: hidesLower || isOpaque || below == nil,
            depth: depth + 1)
    }

    // MARK: - Comparing

    /// A directory's time is no change of its own: it changes with every file that comes and goes in it.
    private func differsAsDirectory(
        _ path: TreePath, _ directory: FileDescriptor, _ status: FileStatus,
        _ below: (entry: ListingEntry, layer: Int)
    ) throws -> Bool {
        if below.entry.kind != .directory || UInt32(below.entry.permissions) != status.permissions
            || below.entry.uid != status.uid || below.entry.gid != status.gid
        {
            return true
        }
        return try LayerError.at(path.bytes, "compare it") { () throws(Errno) in
            let old = try trees[below.layer].open(
                path.forSystem, [.pathOnly, .noFollow], resolve: .noLinks)
            return try old.borrowed.extendedAttributes().carriedToLayer
                != directory.extendedAttributes().carriedToLayer
        }
    }

    /// Whether a file of the upper directory is another than the one below it. No heuristic: where time, size and owner are the
    /// same, the bytes are compared.
    private func differs(_ path: TreePath, _ status: FileStatus, in directory: FileDescriptor)
        throws -> Bool
    {
        guard let below = lower.lookup(path) else { return true }
        return try LayerError.at(path.bytes, "compare it") { () throws(Errno) in
            let old = try trees[below.layer].open(
                path.bytes, [.pathOnly, .noFollow], resolve: .noLinks)
            let before = try old.borrowed.status()
            if before.kind != status.kind || before.permissions != status.permissions
                || below.entry.uid != status.uid
                || below.entry.gid != status.gid || before.modified != status.modified
                || before.size != status.size
                || before.special != status.special
            {
                return true
            }
            let new = try directory.open(path.name, [.pathOnly, .noFollow], resolve: .noLinks)
            if try old.borrowed.extendedAttributes().carriedToLayer
                != new.borrowed.extendedAttributes().carriedToLayer
            {
                return true
            }
            switch status.kind {
            case .symbolicLink: return try old.borrowed.readLink() != new.borrowed.readLink()
            case .regular:
                let a = try trees[below.layer].open(path.bytes, .readOnly, resolve: .noLinks)
                let b = try directory.open(path.name, [.readOnly, .noFollow], resolve: .noLinks)
                return try !haveSameBytes(a.borrowed, b.borrowed)
            default: return false
            }
        }
    }

    /// The device that a file is a placeholder for: where the image has a device at this path, and the file its record.
    private func device(
        _ path: TreePath, _ status: FileStatus, in directory: FileDescriptor
    ) throws -> DeviceRecord? {
        guard status.kind == .regular, status.size == 0, let below = lower.lookup(path),
            below.entry.kind == .characterDevice || below.entry.kind == .blockDevice
        else { return nil }
        return try LayerError.at(path.bytes, "compare it") { () throws(Errno) in
            let name = String(decoding: PrivateAttribute.device, as: UTF8.self)
            let old = try trees[below.layer].open(
                path.bytes, [.pathOnly, .noFollow], resolve: .noLinks)
            let new = try directory.open(path.name, [.pathOnly, .noFollow], resolve: .noLinks)
            let record = try old.borrowed.extendedAttribute(name)
            guard let record, try new.borrowed.extendedAttribute(name) == record else { return nil }
            return DeviceRecord(record)
        }
    }

    // MARK: - Completing

    /// A set of hard links enters whole or not at all: a link into a lower layer is refused by some engines.
    private mutating func enterWholeLinkSets() throws {
        for set in names.values where set.count > 1 {
            guard try set.contains(where: { found[$0].isChanged }) || !areOneFileBelow(set) else {
                continue
            }
            for index in set { found[index].isChanged = true }
        }
    }

    /// Whether unchanged names are those of one file below, too: files that were the same may have become links.
    private func areOneFileBelow(_ set: [Int]) throws -> Bool {
        var files: Set<[UInt64]> = []
        for index in set {
            let path = found[index].path
            guard let layer = lower.lookup(path)?.layer else { return false }
            try LayerError.at(path.bytes, "compare it") { () throws(Errno) in
                let old = try trees[layer].open(
                    path.bytes, [.pathOnly, .noFollow], resolve: .noLinks)
                files.insert([UInt64(layer), try old.borrowed.status().inode])
            }
        }
        return files.count == 1
    }

    /// The directories of every entry are in the layer, too, with their own owner and mode; the root only if it changed itself.
    private mutating func enterParents() {
        var open: [Int] = []
        for index in found.indices where !found[index].path.isRoot {
            while let last = open.last, !found[last].path.contains(found[index].path) {
                open.removeLast()
            }
            if found[index].isChanged {
                for parent in open { found[parent].isChanged = true }
            }
            if found[index].status.kind == .directory { open.append(index) }
        }
    }

    /// Takes out of the upper directory what is as it was: in another image this tree would show the wrong file.
    private func removeUnchanged() throws(LayerError) {
        for item in found.reversed() where !item.isChanged {
            if item.mark == .whiteout, !form.isStacked { continue }
            try LayerError.at(item.path.bytes, "take it back") { () throws(Errno) in
                let parent = try upper.open(
                    (item.path.parent ?? .root).forSystem, [.readOnly, .directory],
                    resolve: .noLinks)
                if item.status.kind == .directory {
                    try parent.borrowed.removeEmptyDirectory(item.path.name)
                } else {
                    try parent.borrowed.unlink(item.path.name)
                }
            }
        }
    }

    /// Whole seconds, and none later than `latest`: as the layer has them. Directories after what is in them.
    private func setTimes(latest: Int64?) throws(LayerError) {
        for item in found.reversed()
        where item.isChanged && item.mark == .entry && !item.path.isRoot {
            let seconds = min(item.status.modified.seconds, latest ?? .max)
            try LayerError.at(item.path.bytes, "set its time") { () throws(Errno) in
                let parent = try upper.open(
                    (item.path.parent ?? .root).forSystem, [.pathOnly, .directory],
                    resolve: .noLinks)
                try parent.borrowed.setTimes(item.path.name, FileTime(seconds: seconds))
            }
        }
    }

    private consuming func changeSet() -> ChangeSet {
        var result = ChangeSet()
        var firstNames: [UInt64: TreePath] = [:]
        for item in found where item.isChanged {
            var change = ChangeSet.Change(path: item.path, mark: item.mark, status: item.status)
            change.device = item.device
            if item.mark == .entry, item.status.kind != .directory, item.status.linkCount > 1 {
                if let first = firstNames[item.status.inode] {
                    change.mark = .hardLink
                    change.linkTarget = first
                } else {
                    firstNames[item.status.inode] = item.path
                }
            }
            result.changes.append(change)
            if item.isOpaque {
                result.changes.append(
                    ChangeSet.Change(path: item.path, mark: .opaque, status: item.status))
            }
        }
        return result
    }
}
