import Archive
import Linux

extension LayerComposer {
    /// Whether an ADD unpacks a match.
    func isArchive(_ match: CopySelection.Match, _ selection: CopySelection) throws -> Bool {
        guard match.entries[0].status.kind == .regular,
            selection.source.bytes(of: match.path) == nil
        else { return false }
        let word = selection.words[match.word]
        let file = try of(word) { () throws(SystemError) in
            try selection.source.open(match.path)
        }
        return try archives.isArchive(file.borrowed)
    }

    /// Unpacks an archive at `place`, which becomes a directory.
    ///
    /// Entries keep their ids, unless `attributes` has an owner, and their modes; `--chmod` is not for them. They are
    /// written in the archive's order: one that comes twice counts as it came last. Links of the image and of the archive are
    /// followed in an entry's directories, below the image's root; the link itself is replaced.
    mutating func unpack(
        _ match: CopySelection.Match, of selection: CopySelection, at place: Place,
        _ attributes: Attributes
    ) throws {
        let word = selection.words[match.word]
        try makeDirectory(place.path, attributes, word: place.word)
        let file = try of(word) { () throws(SystemError) in
            try selection.source.open(match.path)
        }
        let item = SourceFile(
            source: selection.source, word: word, path: match.path,
            status: match.entries[0].status)
        try item.checkUnchanged(file.borrowed)
        do {
            // The user's own file, and a disk image may well be one run of zeros: only the size is bounded.
            let limits = DecompressionLimits(maximumRatio: .max)
            let archive = try archives.entries(of: file.borrowed, limits)
            while let entry = try archive.next() {
                try unpack(entry, archive, at: place.path, attributes, word: word)
            }
        } catch let error as ArchiveError {
            throw CopyError(.archive(error), word: word, path: match.path.bytes)
        }
        try item.checkUnchanged(file.borrowed)
    }

    private mutating func unpack(
        _ original: TarEntry, _ archive: any EntryReader, at base: TreePath,
        _ attributes: Attributes,
        word: String
    ) throws {
        guard let typed = TreePath(original.path) else {
            throw CopyError(.unsafePath, word: word, path: original.path)
        }
        if typed.isRoot {
            // The destination itself is there already, and stays as it is.
            if original.kind == .directory { return }
            throw CopyError(.unsafePath, word: word, path: original.path)
        }
        let path = try resolveParent(of: typed, below: base, word: word)
        try makeDirectory(path.parent ?? .root, attributes, word: word)
        var entry = TarEntry(carrying: original, at: path, owner: attributes.owner)
        var linked: ListingEntry?
        if entry.kind == .hardLink {
            linked = try link(&entry, to: original.linkTarget, below: base, word: word)
            if entry.linkTarget == path.bytes { return }
        }
        let hidesLower = makeRoom(for: entry, at: path)
        try claim(path, for: &entry, word: word)
        if let linked { own[path] = linked }
        try flush()
        try tar.begin(entry)
        if entry.kind == .file { try copyData(of: original, from: archive) }
        try tar.end()
        if hidesLower { try hideLower(path) }
    }

    /// Where an entry goes: links in its directories are followed, its own name is not.
    ///
    /// Most entries lie in the last one's directory or right below it: only the rest of the way is gone.
    private mutating func resolveParent(
        of typed: TreePath, below base: TreePath, word: String
    ) throws(CopyError) -> TreePath {
        let above = typed.parent ?? .root
        var (known, start) = (0, base)
        if let last = resolvedParent, last.base == base, last.typed.contains(above) {
            (known, start) = (last.typed.components.count, last.path)
        }
        let rest = above.components.dropFirst(known).map(Array.init)
        let path = try resolve(rest, from: start, word: word)
        resolvedParent = (base, above, path)
        return path.appending(typed.name)
    }

    /// Makes `entry` a link within this layer.
    ///
    /// - Returns: what the other name stands for.
    private mutating func link(
        _ entry: inout TarEntry, to target: [UInt8], below base: TreePath, word: String
    ) throws(CopyError) -> ListingEntry {
        guard let typed = TreePath(target), !typed.isRoot else {
            throw CopyError(.unsafePath, word: word, path: target)
        }
        let path = try resolveParent(of: typed, below: base, word: word)
        guard let known = own[path], known.kind != .directory else {
            throw CopyError(.missingLinkTarget(target), word: word, path: entry.path)
        }
        entry.linkTarget = path.bytes
        entry.mode = known.permissions
        (entry.uid, entry.gid) = (known.uid, known.gid)
        entry.modified = TarEntry.Time(seconds: known.modified)
        return known
    }

    /// Forgets what an entry replaces.
    ///
    /// - Returns: whether a directory comes in the place of a file that this layer put over a directory of the image: what is in
    ///   that one must then be hidden by a mark.
    private mutating func makeRoom(for entry: TarEntry, at path: TreePath) -> Bool {
        guard let existing = self.entry(at: path) else { return false }
        if entry.kind != .directory {
            if existing.kind == .directory { remove(below: path) }
            return false
        }
        return existing.kind != .directory && own[path] != nil
            && parent.entry(at: path)?.kind == .directory
    }

    private mutating func hideLower(_ directory: TreePath) throws {
        own.makeOpaque(directory)
        hiding.insert(directory)
        try tar.begin(
            TarEntry(path: directory.appending(Whiteout.opaqueName).bytes, kind: .file))
        try tar.end()
    }

    /// Writes the data of an entry, with the holes of a sparse one as zeros.
    private func copyData(of entry: TarEntry, from archive: any EntryReader) throws {
        var end: Int64 = 0
        while let block = try archive.nextBlock() {
            try tar.writeZeros(block.offset - end)
            try tar.write(block.bytes)
            end = block.offset + Int64(block.bytes.count)
        }
        try tar.writeZeros(entry.size - end)
    }
}

extension TarEntry {
    /// What a layer holds of another archive's entry.
    fileprivate init(
        carrying other: TarEntry, at path: TreePath, owner: LayerComposer.Attributes.Owner?
    ) {
        self = other
        self.path = path.bytes
        regions = nil
        if kind == .hardLink { size = 0 }
        if let owner { (uid, gid) = (owner.uid, owner.gid) }
        xattrs =
            kind == .hardLink ? [] : xattrs.filter { PrivateAttribute.nameInTree($0.name) != nil }
    }
}
