import Layers

/// The hard links of one layer while it streams by: which file each one names, and under which name that file is written.
struct HardLinks {
    /// By the name of a link, the name under which its file came first.
    private var origins: [TreePath: TreePath] = [:]
    /// By the hidden first name of a file, another name that is not hidden and gets the body.
    private let standIns: [TreePath: TreePath]
    /// Hidden first names whose stand-in has passed: what comes under that name from now on is another file.
    private var passed: Set<TreePath> = []

    init(_ standIns: [TreePath: TreePath]) { self.standIns = standIns }

    /// Notes that a file of its own comes at `path`.
    mutating func begin(_ path: TreePath) { if !origins.isEmpty { origins[path] = nil } }

    /// Notes a link, and gives the first name of its file.
    mutating func origin(of link: TreePath, linkedTo target: TreePath) -> TreePath {
        let origin = origins[target] ?? target
        origins[link] = origin
        return origin
    }

    /// The name that takes the body of the hidden file at `path`, if any does.
    func standIn(for path: TreePath) -> TreePath? { passed.contains(path) ? nil : standIns[path] }

    /// What a link names in the output; nil where the link has got the body itself.
    mutating func name(for link: TreePath, of origin: TreePath, isShown: Bool) -> TreePath? {
        guard !isShown, let standIn = standIns[origin] else { return origin }
        if standIn != link { return standIn }
        passed.insert(origin)
        return nil
    }
}
