/// What a step on a copy took away from the image: for a copy what overlay's marks are for an upper directory.
public struct Removals: Sendable {
    /// Paths that the image has and the copy has not.
    public internal(set) var paths: Set<TreePath> = []
    /// The same by their directories: their names, in order.
    var names: [TreePath: [[UInt8]]] = [:]
    /// Directories that are not the image's own: nothing of it shows in them.
    public internal(set) var replacedDirectories: Set<TreePath> = []

    mutating func remove(_ path: TreePath) {
        paths.insert(path)
        names[path.parent ?? .root, default: []].append(Array(path.name))
    }
}
