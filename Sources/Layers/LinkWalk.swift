/// Where a path leads when links are followed one component at a time, below a root that nothing leaves.
struct LinkWalk: Equatable {
    enum Node: Equatable {
        case directory, other
        case link([UInt8])

        /// What a listing has there; a whiteout is nothing.
        init?(_ entry: ListingEntry?) {
            switch entry?.kind {
            case nil, .whiteout?: return nil
            case .directory?: self = .directory
            case .symbolicLink?: self = .link(entry?.linkTarget ?? [])
            default: self = .other
            }
        }
    }

    enum Problem: Equatable {
        /// More than 40 links, as the kernel counts.
        case tooManyLinks
        /// A component on the way is no directory.
        case notDirectory
    }

    /// Where it ends, or where the problem is.
    private(set) var path: TreePath
    /// What is there; nil where there is nothing. What does not exist is passed as it stands.
    private(set) var node: Node? = .directory
    private(set) var problem: Problem?
    /// The last link that was followed.
    private(set) var lastLink: (path: TreePath, target: [UInt8])?

    /// Walks `components` from `base`, asking `look` at each step.
    init<Failure: Error>(
        _ components: some Sequence<some Collection<UInt8>>, from base: TreePath = .root,
        followingLast: Bool = true,
        _ look: (TreePath) throws(Failure) -> Node?
    ) throws(Failure) {
        path = base
        var pending = components.map { Array($0) }
        pending.reverse()
        var links = 0
        var isAtBase = true
        // What is below nothing is not asked for.
        var isMissing = false
        while let component = pending.popLast() {
            if component == [dot] { continue }
            if component == [dot, dot] {
                path = path.parent ?? .root
                (isAtBase, isMissing) = (true, false)
                continue
            }
            let next = path.appending(component)
            isAtBase = false
            node = isMissing ? nil : try look(next)
            isMissing = node == nil
            if case .link(let target) = node, followingLast || !pending.isEmpty {
                links += 1
                lastLink = (next, target)
                if links > 40 {
                    problem = .tooManyLinks
                    return
                }
                if target.first == slash { path = .root }
                pending += target.split(separator: slash).reversed().map { Array($0) }
                isAtBase = true
                continue
            }
            path = next
            if node != nil, node != .directory, !pending.isEmpty {
                problem = .notDirectory
                return
            }
        }
        if isAtBase { node = path.isRoot ? .directory : try look(path) }
    }

    static func == (a: LinkWalk, b: LinkWalk) -> Bool {
        a.path == b.path && a.node == b.node && a.problem == b.problem
    }
}

/// A path as it was typed, with "." and ".." taken out by their text, as Dockerfiles mean it.
public struct TypedPath: Equatable {
    public private(set) var components: [[UInt8]] = []
    /// A ".." had nothing to leave.
    private(set) var leavesRoot = false
    /// It ends with a slash or ".": a directory is meant.
    private(set) var isDirectory: Bool

    /// Reads `text`, relative to `base` unless it begins with a slash.
    public init(_ text: [UInt8], from base: [UInt8] = []) {
        let last = text.split(separator: slash, omittingEmptySubsequences: false).last ?? []
        isDirectory = last.isEmpty || last.elementsEqual([dot])
        if text.first != slash { push(base) }
        push(text)
    }

    private mutating func push(_ text: [UInt8]) {
        for component in text.split(separator: slash) {
            if component.elementsEqual([dot]) { continue }
            if component.elementsEqual([dot, dot]) {
                if components.popLast() == nil { leavesRoot = true }
            } else {
                components.append(Array(component))
            }
        }
    }
}
