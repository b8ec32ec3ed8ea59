public import Archive
import Linux
import SystemPackage

/// Writes the layer of a COPY, an ADD or a WORKDIR without a tree: sources go straight into the tar, and where they go is
/// resolved in the listings of the layers below.
///
/// Every entry's parent directories are in the layer, with the metadata that the image has for them; what is missing is made with
/// mode 0755, the given owner and the time of the build. Replaced files need no whiteout: the entry itself hides them.
///
/// Each call writes its entries sorted by path; an archive's entries keep the archive's order. On failure the tar is left half
/// written and must be thrown away.
public struct LayerComposer {
    /// Owner and mode of what is copied, and of the directories made for it.
    public struct Attributes: Sendable {
        public struct Owner: Equatable, Sendable {
            public var uid, gid: UInt32
            public init(uid: UInt32, gid: UInt32) { (self.uid, self.gid) = (uid, gid) }
        }

        /// Nil: as the source has it in an image, 0:0 for a context.
        public var owner: Owner?
        /// Nil: as the source has it.
        public var mode: ModeChange?

        public init(owner: Owner? = nil, mode: ModeChange? = nil) {
            self.owner = owner
            self.mode = mode
        }
    }

    /// What will be written at a path.
    struct Pending {
        var entry: TarEntry
        var file: SourceFile?
        /// The names of one file.
        var linkSet: LinkSet?
    }

    /// Where the bytes come from.
    struct SourceFile {
        var source: any CopySource
        var word: String
        var path: TreePath
        var status: FileStatus
    }

    struct LinkSet: Hashable {
        var match: Int
        var file: FileKey
    }

    let parent: LayerStack
    let tar: TarWriter
    /// Who reads the archives that ADD unpacks.
    let archives: any ArchiveReading
    private let latest: Int64?
    private let now: Int64
    /// What this layer has, written or about to be.
    var own = ListingBuilder()
    /// Directories of this layer that hide what lower ones have there.
    var hiding: Set<TreePath> = []
    /// Directories that only this layer has: in them nothing need be looked up below.
    private var fresh: Set<TreePath> = []
    var pending: [TreePath: Pending] = [:]
    /// Numbers the matches of all selections, so that hard links of two sources are two files.
    var matchCount = 0
    /// Whose ancestors are known to be in the layer.
    private var lastParent: TreePath?
    /// Where the directory of an archive's last entry is, as typed and as found; nil once a link may have come or gone.
    var resolvedParent: (base: TreePath, typed: TreePath, path: TreePath)?

    /// - Parameters:
    ///   - parent: empty for `--link`, where the image below is not looked at.
    ///   - latest: the time that later ones are set back to: `SOURCE_DATE_EPOCH`.
    ///   - now: the time of what no source has a time for.
    ///   - archives: reads those that ADD unpacks.
    public init(
        parent: LayerStack, to tar: TarWriter, latest: Int64?, now: Int64,
        archives: any ArchiveReading = ArchivesHere()
    ) {
        self.parent = parent
        self.tar = tar
        self.archives = archives
        self.latest = latest
        self.now = min(now, latest ?? now)
    }

    /// Ends the archive.
    ///
    /// - Returns: the layer's listing; without entries, nothing was to be done and the step adds no layer.
    public consuming func finish() throws -> ListingBuilder {
        try tar.finish()
        return own
    }

    /// Makes the directories of `path` that are missing: a WORKDIR.
    ///
    /// - Parameter path: absolute, or relative to the root.
    public mutating func makeDirectories(
        _ path: String, owner: Attributes.Owner? = nil
    ) throws {
        let typed = TypedPath(Array(path.utf8))
        let place = try resolve(typed.components, word: path)
        try makeDirectory(place, Attributes(owner: owner), word: path)
        try flush()
    }

    // MARK: - The image as it is so far

    func entry(at path: TreePath) -> ListingEntry? {
        if let entry = own[path] { return entry }
        if let above = path.parent, fresh.contains(above) { return nil }
        if !hiding.isEmpty, hiding.contains(where: { $0.contains(path) }) { return nil }
        guard var entry = parent.entry(at: path) else { return nil }
        if entry.isImplied { (entry.isImplied, entry.modified) = (false, now) }
        return entry
    }

    /// Where `components` lead in the image, every link followed.
    func resolve(
        _ components: [[UInt8]], from base: TreePath = .root, word: String
    ) throws(CopyError) -> TreePath {
        let walk = LinkWalk(components, from: base) { LinkWalk.Node(entry(at: $0)) }
        switch walk.problem {
        case .tooManyLinks: throw CopyError(.tooManyLinks, word: word, path: walk.path.bytes)
        case .notDirectory: throw CopyError(.notDirectory, word: word, path: walk.path.bytes)
        case nil: return walk.path
        }
    }

    // MARK: - Entries to be

    /// Sees to it that `path`, in which no component is a link, is a directory.
    mutating func makeDirectory(
        _ path: TreePath, _ attributes: Attributes, word: String
    ) throws(CopyError) {
        if path.isRoot { return }
        if let entry = entry(at: path) {
            if entry.kind != .directory {
                throw CopyError(.notDirectory, word: word, path: path.bytes)
            }
            return
        }
        for directory in try missingDirectories(of: path, word: word) {
            var entry = TarEntry(path: directory.bytes, kind: .directory)
            entry.mode = attributes.mode?.modeOfImplicitDirectories ?? 0o755
            entry.uid = attributes.owner?.uid ?? 0
            entry.gid = attributes.owner?.gid ?? 0
            entry.modified = TarEntry.Time(seconds: now)
            try put(Pending(entry: entry), at: directory, word: word)
        }
    }

    /// `path`, which is not there, and those of its directories that are not there either, the highest first.
    private func missingDirectories(of path: TreePath, word: String) throws(CopyError) -> [TreePath]
    {
        var missing = [path]
        var next = path.parent
        while let directory = next, !directory.isRoot {
            if let entry = entry(at: directory) {
                if entry.kind != .directory {
                    throw CopyError(.notDirectory, word: word, path: directory.bytes)
                }
                break
            }
            missing.append(directory)
            next = directory.parent
        }
        return missing.reversed()
    }

    /// Plans an entry, and those of the directories above it.
    mutating func put(
        _ item: Pending, at path: TreePath, word: String
    ) throws(CopyError) {
        var item = item
        try claim(path, for: &item.entry, word: word)
        pending[path] = item
    }

    /// Lists an entry as this layer's and plans the directories above it.
    mutating func claim(
        _ path: TreePath, for entry: inout TarEntry, word: String
    ) throws(CopyError) {
        if path.name.starts(with: Whiteout.prefix) {
            throw CopyError(.whiteoutName, word: word, path: path.bytes)
        }
        if path.bytes.count > ListingBuilder.longestPath {
            throw CopyError(
                .limit("a path is longer than \(ListingBuilder.longestPath) bytes"), word: word,
                path: Array(path.bytes.prefix(64)))
        }
        if let excess = own.excess { throw CopyError(.limit(excess), word: word, path: path.bytes) }
        if entry.kind != .file, entry.kind != .directory { resolvedParent = nil }
        if self.entry(at: path)?.kind == .symbolicLink { resolvedParent = nil }
        carryParents(of: path)
        entry.modified = TarEntry.Time(seconds: min(entry.modified.seconds, latest ?? .max))
        if entry.kind != .directory {
            fresh.remove(path)
        } else if self.entry(at: path) == nil {
            fresh.insert(path)
        }
        let isOpaque = own[path]?.isOpaque ?? false
        own[path] = ListingEntry(entry)
        if isOpaque, entry.kind == .directory { own.makeOpaque(path) }
    }

    /// Takes the directories above `path` into the layer as the image has them.
    private mutating func carryParents(of path: TreePath) {
        guard let above = path.parent, above != lastParent else { return }
        lastParent = above
        var next = above
        while !next.isRoot, own[next] == nil {
            guard let existing = entry(at: next) else { break }
            var entry = TarEntry(path: next.bytes, kind: .directory)
            entry.mode = existing.permissions
            (entry.uid, entry.gid) = (existing.uid, existing.gid)
            entry.modified = TarEntry.Time(seconds: min(existing.modified, latest ?? .max))
            own[next] = ListingEntry(entry)
            pending[next] = Pending(entry: entry)
            next = next.parent ?? .root
        }
    }

    /// Takes back what this layer has below `path`, which becomes something else than a directory.
    mutating func remove(below path: TreePath) {
        own.remove(below: path)
        fresh = fresh.filter { !path.contains($0) }
        (lastParent, resolvedParent) = (nil, nil)
    }

    // MARK: - Writing

    /// Writes what is planned, sorted, and reads the files for it.
    mutating func flush() throws {
        var firstNames: [LinkSet: TreePath] = [:]
        for (path, item) in pending.sorted(by: { $0.key < $1.key }) {
            var entry = item.entry
            if let set = item.linkSet {
                if let first = firstNames[set] {
                    entry.kind = .hardLink
                    entry.linkTarget = first.bytes
                    entry.size = 0
                    entry.xattrs = []
                } else {
                    firstNames[set] = path
                }
            }
            try tar.begin(entry)
            if entry.kind == .file, let file = item.file { try write(file) }
            try tar.end()
        }
        pending = [:]
    }

    /// Writes the bytes of a file, which must be what it was when its digest was taken.
    private func write(_ item: SourceFile) throws {
        if let bytes = item.source.bytes(of: item.path) {
            try bytes.withUnsafeBytes { try tar.write($0) }
            return
        }
        let file = try of(item.word) { () throws(SystemError) in
            try item.source.open(item.path)
        }
        try item.checkUnchanged(file.borrowed)
        do { try tar.writeContents(of: file.borrowed) } catch let error as ArchiveError {
            guard case .wrongSize = error.problem else { throw error }
            throw CopyError(.changed, word: item.word, path: item.path.bytes)
        }
        try item.checkUnchanged(file.borrowed)
    }
}

extension LayerComposer.SourceFile {
    /// Throws unless the open file is as it was when its status was taken.
    func checkUnchanged(_ file: FileDescriptor) throws(CopyError) {
        if source.isFixed { return }
        let now: FileStatus
        do throws(Errno) { now = try file.status() } catch {
            let error = SystemError("look at /\(printable(path.bytes))", error)
            throw CopyError(.system(error), word: word)
        }
        if !now.isUnchanged(since: status) {
            throw CopyError(.changed, word: word, path: path.bytes)
        }
    }
}
