import Archive
import Linux

extension LayerComposer {
    /// Copies what was selected to `destination`, as COPY and ADD do, one selection after the other.
    ///
    /// A directory's content is copied, not the directory; at the destination, a directory that exists keeps its own metadata,
    /// while those below it take the source's. Files replace files and links, never directories. Archives of a selection that
    /// unpacks them are unpacked. Where nothing was selected nothing is made, the destination neither.
    ///
    /// - Parameters:
    ///   - destination: as expanded; relative to `workingDirectory`. A slash or "/." at its end means a directory.
    ///   - workingDirectory: absolute.
    /// - Throws: `CopyError`, or the tar's own error.
    public mutating func copy(
        _ selections: [CopySelection], to destination: String, workingDirectory: String = "/",
        _ attributes: Attributes = Attributes()
    ) throws {
        let count = selections.reduce(0) { $0 + $1.matches.count }
        if count == 0 { return }
        var place = try place(destination, workingDirectory, attributes)
        place.isForMany = count > 1
        for selection in selections {
            for match in selection.matches {
                matchCount += 1
                if selection.unpacksArchives, try isArchive(match, selection) {
                    try flush()
                    try unpack(match, of: selection, at: place, attributes)
                } else {
                    try plan(match, of: selection, at: place, attributes)
                }
            }
        }
        try flush()
    }

    /// A destination: where it leads, and the word that names it.
    struct Place {
        var word: String
        var path: TreePath
        /// More than one file or directory goes there.
        var isForMany = false
    }

    /// Resolves a destination and makes the directories that must be there whatever is copied.
    mutating func place(
        _ destination: String, _ workingDirectory: String, _ attributes: Attributes
    ) throws(CopyError) -> Place {
        let typed = TypedPath(Array(destination.utf8), from: Array(workingDirectory.utf8))
        let needed = typed.isDirectory ? typed.components : Array(typed.components.dropLast())
        try makeDirectory(
            try resolve(needed, word: destination), attributes, word: destination)
        return Place(
            word: destination, path: try resolve(typed.components, word: destination))
    }

    mutating func plan(
        _ match: CopySelection.Match, of selection: CopySelection, at place: Place,
        _ attributes: Attributes
    ) throws(CopyError) {
        if match.isDirectory {
            try planDirectory(match, of: selection, at: place, attributes)
            return
        }
        var target = place.path
        if target.isRoot || entry(at: target)?.kind == .directory {
            if match.name.isEmpty {
                throw CopyError(.nameless, word: selection.words[match.word], path: target.bytes)
            }
            target = target.appending(match.name)
        } else if place.isForMany {
            throw CopyError(.needsDirectory, word: place.word, path: target.bytes)
        }
        try makeDirectory(target.parent ?? .root, attributes, word: place.word)
        try planEntry(match.entries[0], match, of: selection, at: target, attributes)
    }

    private mutating func planDirectory(
        _ match: CopySelection.Match, of selection: CopySelection, at place: Place,
        _ attributes: Attributes
    ) throws(CopyError) {
        if let existing = entry(at: place.path), existing.kind != .directory {
            throw CopyError(
                .replacesFile, word: selection.words[match.word], path: place.path.bytes)
        }
        try makeDirectory(place.path, attributes, word: place.word)
        for entry in match.entries.dropFirst() {
            try planEntry(
                entry, match, of: selection, at: place.path.appending(entry.path), attributes)
        }
    }

    private mutating func planEntry(
        _ entry: CopySelection.Entry, _ match: CopySelection.Match,
        of selection: CopySelection, at target: TreePath, _ attributes: Attributes
    ) throws(CopyError) {
        let word = selection.words[match.word]
        let status = entry.status
        if let existing = self.entry(at: target),
            (existing.kind == .directory) != (status.kind == .directory)
        {
            throw CopyError(
                status.kind == .directory ? .replacesFile : .replacesDirectory, word: word,
                path: target.bytes)
        }
        var item = Pending(
            entry: tarEntry(entry, at: target, attributes, selection.source.origin))
        if status.kind == .regular {
            item.file = SourceFile(
                source: selection.source, word: word, path: match.path.appending(entry.path),
                status: status)
            if status.linkCount > 1 {
                item.linkSet = LinkSet(match: matchCount, file: FileKey(status))
            }
        }
        if entry.isParent, let existing = self.entry(at: target) {
            // As in BuildKit, a directory that only leads to what is copied gives its mode alone to one that is there.
            (item.entry.uid, item.entry.gid) = (existing.uid, existing.gid)
            item.entry.mode = UInt16(status.permissions)
            item.entry.modified = TarEntry.Time(seconds: existing.modified)
            item.entry.xattrs = []
        }
        try put(item, at: target, word: word)
    }

    private func tarEntry(
        _ entry: CopySelection.Entry, at target: TreePath, _ attributes: Attributes,
        _ origin: CopyOrigin
    ) -> TarEntry {
        let status = entry.status
        var result = TarEntry(path: target.bytes, kind: TarEntry.Kind(status.kind))
        result.linkTarget = entry.linkTarget
        result.mode = UInt16(status.permissions)
        if let mode = attributes.mode, status.kind != .symbolicLink {
            result.mode = mode.applied(
                to: result.mode, isDirectory: status.kind == .directory)
        }
        if let owner = attributes.owner {
            (result.uid, result.gid) = (owner.uid, owner.gid)
        } else if origin == .image {
            (result.uid, result.gid) = (status.uid, status.gid)
        }
        result.modified = TarEntry.Time(seconds: status.modified.seconds)
        if status.kind == .regular { result.size = Int64(status.size) }
        if status.kind == .characterDevice || status.kind == .blockDevice {
            (result.major, result.minor) = (status.special.major, status.special.minor)
        }
        result.xattrs = entry.attributes.map { TarEntry.Xattr(name: $0.name, value: $0.value) }
        return result
    }
}
