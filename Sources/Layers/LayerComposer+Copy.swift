import Archive
import Linux

extension LayerComposer {
    /// Copies what was selected to `destination`, as COPY does.
    ///
    /// A directory's content is copied, not the directory; at the destination, a directory that exists keeps its own metadata,
    /// while those below it take the source's. Files replace files and links, never directories.
    ///
    /// - Parameters:
    ///   - destination: as expanded; relative to `workingDirectory`. A slash or "/." at its end means a directory.
    ///   - workingDirectory: absolute.
    /// - Throws: `CopyError`, or the tar's own error.
    public mutating func copy(
        _ selection: CopySelection, to destination: String, workingDirectory: String = "/",
        _ attributes: Attributes = Attributes()
    ) throws {
        let place = try place(destination, workingDirectory, attributes)
        for (index, match) in selection.matches.enumerated() {
            try plan(match, index, of: selection, at: place, attributes)
        }
        try flush(from: selection.source)
    }

    /// A destination: where it leads, and the word that names it.
    struct Place {
        var word: String
        var path: TreePath
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
        _ match: CopySelection.Match, _ index: Int, of selection: CopySelection, at place: Place,
        _ attributes: Attributes
    ) throws(CopyError) {
        if match.isDirectory {
            try planDirectory(match, index, of: selection, at: place, attributes)
            return
        }
        var target = place.path
        if target.isRoot || entry(at: target)?.kind == .directory {
            target = target.appending(match.name)
        } else if selection.matches.count > 1 {
            throw CopyError(.needsDirectory, word: place.word, path: target.bytes)
        }
        try makeDirectory(target.parent ?? .root, attributes, word: place.word)
        try planEntry(match.entries[0], match, index, of: selection, at: target, attributes)
    }

    private mutating func planDirectory(
        _ match: CopySelection.Match, _ index: Int, of selection: CopySelection, at place: Place,
        _ attributes: Attributes
    ) throws(CopyError) {
        if let existing = entry(at: place.path), existing.kind != .directory {
            throw CopyError(
                .replacesFile, word: selection.words[match.word], path: place.path.bytes)
        }
        try makeDirectory(place.path, attributes, word: place.word)
        for entry in match.entries.dropFirst() {
            try planEntry(
                entry, match, index, of: selection, at: place.path.appending(entry.path),
                attributes)
        }
    }

    private mutating func planEntry(
        _ entry: CopySelection.Entry, _ match: CopySelection.Match, _ index: Int,
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
                word: word, path: match.path.appending(entry.path), status: status)
            if status.linkCount > 1 {
                item.linkSet = LinkSet(match: index, file: FileKey(status))
            }
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
