import Linux

/// One source of a COPY: finds what it names.
///
/// Links are followed in the directories on the way and at the end, but not where a pattern is matched: as in BuildKit, a pattern
/// does not look into a linked directory.
struct SourceWord {
    /// What a word names: one thing, or each match of its pattern.
    struct Found {
        /// With links followed.
        var path: TreePath
        /// As it was named, before links were followed: what it is called in a directory.
        var name: [UInt8]
        var status: FileStatus
    }

    /// For messages.
    let word: String
    let path: String
    let source: any CopySource

    /// A ".." has nothing to leave and counts for nothing. Dockerfile reference, "Copying from the build context".
    var leavesContext: Bool {
        source.origin == .context && TypedPath(Array(path.utf8)).leavesRoot
    }

    /// Everything that the word names, in order. Empty only for a pattern without a match.
    func find() throws(CopyError) -> [Found] {
        let parts = TypedPath(Array(path.utf8)).components
        guard let first = parts.firstIndex(where: NamePattern.isPattern) else {
            return [try follow(parts[...], name: parts.last ?? [])]
        }
        var patterns: [NamePattern] = []
        for part in parts[first...] {
            guard let pattern = NamePattern(part) else { throw CopyError(.badPattern, word: word) }
            patterns.append(pattern)
        }
        guard let start = try directory(of: parts[..<first]) else { return [] }
        var found: [Found] = []
        try match(patterns[...], in: start, &found)
        return found
    }

    /// The directory before the first pattern; nil where it is not there.
    private func directory(of parts: ArraySlice<[UInt8]>) throws(CopyError) -> TreePath? {
        let walk = try walk(parts.map { $0 }, from: .root)
        return walk.problem == nil && walk.node == .directory ? walk.path : nil
    }

    private func match(
        _ patterns: ArraySlice<NamePattern>, in directory: TreePath, _ found: inout [Found]
    ) throws(CopyError) {
        guard let pattern = patterns.first else { return }
        let children = try of(word) { () throws(SystemError) in try source.children(of: directory) }
        for child in children where pattern.matches(child.name) {
            if patterns.count == 1 {
                let path = directory.appending(child.name)
                found.append(try follow(path.components.map(Array.init)[...], name: child.name))
            } else if child.status.kind == .directory {
                try match(patterns.dropFirst(), in: directory.appending(child.name), &found)
            }
        }
    }

    private func follow(_ parts: ArraySlice<[UInt8]>, name: [UInt8]) throws(CopyError) -> Found {
        let walk = try walk(parts.map { $0 }, from: .root)
        switch walk.problem {
        case .tooManyLinks: throw CopyError(.tooManyLinks, word: word, path: walk.path.bytes)
        case .notDirectory: throw CopyError(.notDirectory, word: word, path: walk.path.bytes)
        case nil: break
        }
        let status = try of(word) { () throws(SystemError) in try source.status(of: walk.path) }
        guard let status else {
            if let link = walk.lastLink {
                throw CopyError(
                    .brokenLink(link: link.path.bytes, target: link.target), word: word,
                    path: walk.path.bytes)
            }
            throw CopyError(
                leavesContext ? .outsideContext : .missingSource, word: word,
                path: walk.path.bytes)
        }
        return Found(path: walk.path, name: name, status: status)
    }

    private func walk(_ parts: [[UInt8]], from base: TreePath) throws(CopyError) -> LinkWalk {
        try LinkWalk(parts, from: base) { (path) throws(CopyError) in
            try of(word) { () throws(SystemError) in
                switch try source.status(of: path)?.kind {
                case nil: nil
                case .directory?: .directory
                case .symbolicLink?: .link(try source.linkTarget(of: path))
                default: .other
                }
            }
        }
    }
}
