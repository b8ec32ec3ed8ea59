extension LayerStack {
    /// Whether `path` has no entry of its own and is yet a directory, because something is in it.
    ///
    /// Layers of other tools leave such entries out; whoever unpacks them makes the directory.
    func impliesDirectory(_ path: TreePath) -> Bool {
        var ancestors: [TreePath] = []
        var next = path.parent
        while let ancestor = next {
            ancestors.append(ancestor)
            next = ancestor.parent
        }
        for listing in listings.reversed() {
            if listing.entry(at: path) != nil { return false }
            if listing.hasFiles(below: path) { return true }
            for ancestor in ancestors {
                guard let entry = listing.entry(at: ancestor) else { continue }
                if entry.kind != .directory || entry.isOpaque { return false }
            }
        }
        return false
    }
}
