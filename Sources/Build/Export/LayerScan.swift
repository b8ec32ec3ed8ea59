import Archive
import Layers

/// Makes the listing of a layer from its marks, without unpacking it: the same one that unpacking gives.
struct LayerScan {
    private var entries: [TreePath: ListingEntry] = [:]
    /// Paths that the layer hides of lower ones.
    private var hidden: Set<TreePath> = []

    mutating func add(_ mark: LayerWalk.Mark, _ walk: LayerWalk) throws {
        if entries.count > ListingBuilder.largestCount {
            throw walk.damage("the layer has more than \(ListingBuilder.largestCount) entries")
        }
        switch mark {
        case .opaque(let path): makeOpaque(path)
        case .whiteout(let path): hide(path)
        case .entry(let path, let entry): try list(path, entry, walk)
        }
    }

    /// The listing's file, as `Listing` reads it.
    func encoded() -> [UInt8] {
        var builder = ListingBuilder()
        for (path, entry) in entries { builder[path] = entry }
        return builder.encoded()
    }

    private mutating func makeOpaque(_ path: TreePath) {
        entries[path, default: ListingEntry(kind: .directory, permissions: 0o755)].isOpaque = true
    }

    /// A whiteout hides what lower layers have, never what its own layer has.
    private mutating func hide(_ path: TreePath) {
        hidden.insert(path)
        switch entries[path]?.kind {
        case nil: entries[path] = ListingEntry(kind: .whiteout)
        case .directory?: makeOpaque(path)
        default: break
        }
    }

    private mutating func list(_ path: TreePath, _ entry: TarEntry, _ walk: LayerWalk) throws {
        let isDirectory = entry.kind == .directory
        if let old = entries[path], old.kind == .directory, !isDirectory {
            // Something else replaces a directory, with all that the layer had put into it.
            entries = entries.filter { !path.contains($0.key) }
        }
        if entry.kind == .hardLink {
            guard let target = TreePath(entry.linkTarget), let known = entries[target],
                known.kind != .whiteout, known.kind != .directory
            else { throw walk.damage("a hard link to something that the layer does not hold") }
            entries[path] = known
            return
        }
        let wasOpaque = entries[path]?.isOpaque ?? false
        entries[path] = Self.line(for: entry)
        if isDirectory, wasOpaque || hidden.contains(path) { makeOpaque(path) }
    }

    private static func line(for entry: TarEntry) -> ListingEntry {
        let kind: ListingEntry.Kind =
            switch entry.kind {
            case .file, .hardLink: .file
            case .directory: .directory
            case .symlink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            }
        return ListingEntry(
            kind: kind, permissions: entry.mode, uid: entry.uid, gid: entry.gid,
            modified: entry.modified.seconds, size: kind == .file ? UInt64(entry.size) : 0,
            linkTarget: kind == .symbolicLink ? entry.linkTarget : [])
    }
}
