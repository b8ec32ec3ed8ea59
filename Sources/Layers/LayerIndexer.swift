public import Archive
import Defences

/// Understands the entries of a layer one after another: what each means for the paths of an image, and the listing of all.
///
/// The same for a layer that is unpacked and for one that is only listed, so that both say the same. Hard links, whiteouts and
/// what comes twice are resolved here; no file is touched.
///
/// OCI image-spec v1.1, layer.md, "Applying Changesets".
public struct LayerIndexer {
    /// What an entry means.
    public enum Meaning {
        /// The attributes of the root directory.
        case root
        /// A directory hides what lower layers have in it.
        case opaque(TreePath)
        /// Lower layers' `path` is hidden, and this layer has nothing there.
        case whiteout(TreePath)
        /// A file, directory or link of this layer.
        case file(Placement)
        case nothing
    }

    public struct Placement {
        public var path: TreePath
        /// What this layer had there before, and has no more.
        public var replaced: ListingEntry?
        /// Of a hard link, the file that it is another name of.
        public var linkTarget: TreePath?
        /// A directory in place of something that lower layers had.
        public var isOpaque = false
    }

    public private(set) var listing = ListingBuilder()
    /// Paths that the layer hides of lower ones.
    private var hidden: Set<TreePath> = []
    /// The links of this layer: an entry below one goes where it leads, as when a tar is unpacked in place.
    private var links = LinkTable()

    public init() {}

    /// Lists all entries of `tar`, without their files.
    public static func listing(of tar: TarReader) throws -> ListingBuilder {
        var indexer = LayerIndexer()
        while let entry = try tar.next() { _ = try indexer.take(entry) }
        return indexer.listing
    }

    /// Takes the next entry into the listing.
    public mutating func take(_ entry: TarEntry) throws(LayerError) -> Meaning {
        guard let typed = TreePath(entry.path) else {
            throw LayerError(.unsafePath, at: entry.path)
        }
        if typed.isRoot {
            guard entry.kind == .directory else { throw LayerError(.unsafePath, at: entry.path) }
            listing[.root] = keepingOpacity(.root, ListingEntry(entry))
            return .root
        }
        let path = try follow(typed)
        if Whiteout.standsInDirectories(of: path) {
            throw LayerError(.whiteoutName, at: entry.path)
        }
        if let excess = listing.excess { throw LayerError(.limit(excess), at: path.bytes) }
        listing.implyDirectories(above: path)
        switch Whiteout(name: path.name) {
        case .opaque?:
            listing.makeOpaque(path.parent ?? .root)
            return .opaque(path.parent ?? .root)
        case .meaningless?: return .nothing
        case .name(let name)?: return try hide(name, in: path.parent ?? .root, entry)
        case nil: return .file(try place(entry, at: path))
        }
    }

    /// A whiteout hides what lower layers have, never what its own layer has, wherever in the archive it stands.
    private mutating func hide(
        _ name: ArraySlice<UInt8>, in directory: TreePath, _ entry: TarEntry
    ) throws(LayerError) -> Meaning {
        if name.isEmpty || name.elementsEqual([dot]) || name.elementsEqual([dot, dot]) {
            throw LayerError(.unsafePath, at: entry.path)
        }
        let path = directory.appending(name)
        hidden.insert(path)
        guard let own = listing[path] else {
            listing[path] = ListingEntry(kind: .whiteout)
            return .whiteout(path)
        }
        if own.kind != .directory { return .nothing }
        listing.makeOpaque(path)
        return .opaque(path)
    }

    private mutating func place(_ entry: TarEntry, at path: TreePath) throws(LayerError)
        -> Placement
    {
        var placement = Placement(path: path)
        if entry.kind == .hardLink {
            let target = try linkTarget(entry, at: path)
            placement.linkTarget = target
            if target == path { return placement }
        }
        let old = listing[path]
        if let old, !(old.kind == .directory && entry.kind == .directory) {
            placement.replaced = old
            links.set(nil, at: path)
            if old.kind == .directory { listing.remove(below: path) }
            listing[path] = nil
        }
        var line = placement.linkTarget.flatMap { listing[$0] } ?? ListingEntry(entry)
        if line.kind == .symbolicLink { links.set(line.linkTarget, at: path) }
        if line.kind == .directory {
            placement.isOpaque = old?.isOpaque == true || hidden.contains(path)
            line.isImplied = false
            line.isOpaque = placement.isOpaque
        }
        listing[path] = line
        return placement
    }

    private func linkTarget(_ entry: TarEntry, at path: TreePath) throws(LayerError) -> TreePath {
        guard let typed = TreePath(entry.linkTarget), !typed.isRoot else {
            throw LayerError(.unsafePath, at: entry.linkTarget)
        }
        if Defence.linkTargets.isLeftOut { return typed }
        let target = try follow(typed)
        guard let known = listing[target], known.kind != .whiteout, known.kind != .directory else {
            throw LayerError(.missingLinkTarget(entry.linkTarget), at: path.bytes)
        }
        return target
    }

    private func keepingOpacity(_ path: TreePath, _ entry: ListingEntry) -> ListingEntry {
        var entry = entry
        entry.isOpaque = listing[path]?.isOpaque ?? false
        return entry
    }

    /// Follows the links of this layer in the directories of `path`.
    private func follow(_ path: TreePath) throws(LayerError) -> TreePath {
        guard let place = links.follow(path) else { throw LayerError(.unsafePath, at: path.bytes) }
        return place
    }
}
