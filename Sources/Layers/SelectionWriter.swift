import Linux
public import SystemPackage

extension CopySelection {
    /// Writes the one file or directory that was selected into `directory`, under `name`: for a RUN that mounts it.
    ///
    /// The files belong to the caller; modes and times are the source's. A file that is not what it was when the selection was
    /// made is an error.
    public func write(into directory: FileDescriptor, named name: String) throws {
        guard let match = matches.first, matches.count == 1 else {
            throw CopyError(.missingSource, word: words.first ?? "")
        }
        var first: [Int: TreePath] = [:]
        for (index, entry) in match.entries.enumerated() {
            let path = TreePath(name.utf8)!.appending(entry.path)
            if let original = entry.firstName, let other = first[original] {
                try during("link \(printable(path.bytes))") { () throws(Errno) in
                    try directory.makeHardLink(path.bytes, to: other.bytes, in: directory)
                }
                continue
            }
            first[index] = path
            try write(entry, of: match, to: path, in: directory)
        }
        // What was put into a directory has changed its time.
        for entry in match.entries.reversed() where entry.status.kind == .directory {
            let path = TreePath(name.utf8)!.appending(entry.path)
            try during("set the time of \(printable(path.bytes))") { () throws(Errno) in
                try directory.setPermissions(path.bytes, entry.status.permissions)
                try directory.setTimes(path.bytes, entry.status.modified)
            }
        }
    }

    private func write(
        _ entry: Entry, of match: Match, to path: TreePath, in directory: FileDescriptor
    ) throws {
        let words = printable(path.bytes)
        switch entry.status.kind {
        case .directory:
            try during("make \(words)") { () throws(Errno) in
                try directory.makeDirectory(path.bytes, mode: 0o700)
            }
        case .symbolicLink:
            try during("make \(words)") { () throws(Errno) in
                try directory.makeSymbolicLink(path.bytes, to: entry.linkTarget)
                try directory.setTimes(path.bytes, entry.status.modified)
            }
        case .fifo:
            try during("make \(words)") { () throws(Errno) in
                try directory.makeNode(path.bytes, kind: .fifo, mode: 0o600)
                try directory.setPermissions(path.bytes, entry.status.permissions)
            }
        case .regular: try copy(entry, from: match.path.appending(entry.path), to: path, directory)
        case .socket, .characterDevice, .blockDevice: return
        }
    }

    private func copy(
        _ entry: Entry, from path: TreePath, to target: TreePath, _ directory: FileDescriptor
    ) throws {
        let item = LayerComposer.SourceFile(
            source: source, word: words[0], path: path, status: entry.status)
        let original = try source.open(path)
        try item.checkUnchanged(original.borrowed)
        try during("copy \(printable(target.bytes))") { () throws(Errno) in
            let file = try directory.open(
                target.bytes, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            while try original.borrowed.copyOnce(to: file.borrowed, atMost: 1 << 30) > 0 {}
            try file.borrowed.setPermissions(entry.status.permissions)
            try file.borrowed.setTimes(EmptyCollection(), entry.status.modified)
        }
        try item.checkUnchanged(original.borrowed)
    }
}
