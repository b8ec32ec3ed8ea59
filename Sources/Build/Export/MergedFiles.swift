import Layers

/// Which files of which layers are those of the image.
///
/// As overlay shows them, which is also where a layer puts a file into a directory that it does not name: the directory is then
/// made, and hides a file or link of that name below.
struct MergedFiles {
    private let listings: [Listing]
    /// Directories that a layer makes without naming them, in place of something else below; and the highest such layer.
    private var replacements: [TreePath: Int] = [:]
    /// The directory that was asked about last, which is nearly always that of the next path, too.
    private var last: (directory: TreePath, layer: Int, isHidden: Bool)?

    init(_ listings: [Listing]) {
        self.listings = listings
        for layer in listings.indices.dropFirst() { addReplacements(of: layer) }
    }

    /// What the layer says of `path`, if that is what the image has there: `LayerStack.lookup` for paths in a row.
    mutating func entry(at path: TreePath, of layer: Int) -> ListingEntry? {
        guard let entry = listings[layer].entry(at: path), entry.kind != .whiteout, !entry.isImplied
        else { return nil }
        if let replacing = replacements[path], replacing > layer { return nil }
        for upper in listings[(layer + 1)...] {
            guard let other = upper.entry(at: path) else { continue }
            // A directory that a layer only implies leaves the one below as it is.
            if !other.isImplied || entry.kind != .directory { return nil }
        }
        guard let parent = path.parent else { return entry }
        return isHidden(parent, of: layer) ? nil : entry
    }

    /// Whether an upper layer hides something of the layer that may have another name, which is not hidden.
    ///
    /// Names of one file have equal lines in the listing, so the blob is read for them only where two such lines are.
    mutating func mayHideLinkedFiles(of layer: Int) -> Bool {
        var hidden: Set<Line> = []
        listings[layer].forEach { path, line in
            let isLinkable = line.kind != .directory && line.kind != .whiteout
            if isLinkable, entry(at: path, of: layer) == nil { hidden.insert(Line(line)) }
        }
        if hidden.isEmpty { return false }
        var found = false
        listings[layer].forEach { path, line in
            if !found, hidden.contains(Line(line)) { found = entry(at: path, of: layer) != nil }
        }
        return found
    }

    private struct Line: Hashable {
        var kind: UInt8
        var permissions: UInt16
        var uid, gid: UInt32
        var modified: Int64
        var size: UInt64
        var linkTarget: [UInt8]

        init(_ entry: ListingEntry) {
            (kind, permissions) = (entry.kind.rawValue, entry.permissions)
            (uid, gid, modified) = (entry.uid, entry.gid, entry.modified)
            (size, linkTarget) = (entry.size, entry.linkTarget)
        }
    }

    /// Whether an upper layer removes, replaces or empties the directory or one above it.
    private mutating func isHidden(_ directory: TreePath, of layer: Int) -> Bool {
        if let last, last.directory == directory, last.layer == layer { return last.isHidden }
        var isHidden = false
        var next: TreePath? = directory
        while let ancestor = next, !isHidden {
            isHidden = listings[(layer + 1)...].contains { upper in
                guard let entry = upper.entry(at: ancestor) else { return false }
                return entry.kind != .directory || entry.isOpaque
            }
            next = ancestor.parent
        }
        last = (directory, layer, isHidden)
        return isHidden
    }

    private mutating func addReplacements(of layer: Int) {
        let below = LayerStack(Array(listings[..<layer]))
        var known = TreePath.root
        var unnamed: Set<TreePath> = []
        listings[layer].forEach { path, _ in
            var next = path.parent
            while let directory = next, !directory.isRoot, directory != known {
                if listings[layer].entry(at: directory) != nil { break }
                if !unnamed.insert(directory).inserted { break }
                next = directory.parent
            }
            known = path.parent ?? .root
        }
        for directory in unnamed {
            if let entry = below.entry(at: directory), entry.kind != .directory {
                replacements[directory] = layer
            }
        }
    }
}
