public import Archive
public import Linux

/// Reads a small file of an image from the blob of the layer that holds it: /etc/passwd for a `--chown` by name, without any tree.
public struct ImageFileReader {
    private let stack: LayerStack
    private let openLayer: (Int) throws -> TarReader

    /// - Parameter openLayer: starts reading the layer with this index in the stack; not always to its end.
    public init(_ stack: LayerStack, openLayer: @escaping (Int) throws -> TarReader) {
        self.stack = stack
        self.openLayer = openLayer
    }

    /// The bytes of the file at `path`, links followed; nil where there is no such file.
    ///
    /// - Throws: where the file has more than `limit` bytes, or the layer does not hold what its listing says.
    public func read(_ path: String, limit: Int = UserDatabase.largestFile) throws -> [UInt8]? {
        let resolved: LayerStack.Resolved
        do { resolved = try stack.resolve(path.utf8) } catch { return nil }
        guard resolved.entry?.kind == .file, let (_, layer) = stack.lookup(resolved.path) else {
            return nil
        }
        return try data(of: resolved.path, in: layer, limit: limit, links: 0)
    }

    private func data(
        of path: TreePath, in layer: Int, limit: Int, links: Int
    ) throws -> [UInt8] {
        let archive = try openLayer(layer)
        while let entry = try archive.next() {
            guard TreePath(entry.path) == path else { continue }
            if entry.kind == .file { return try archive.data(of: entry, limit: limit) }
            // The data came with the first name, which stands before this one.
            guard entry.kind == .hardLink, links < 8, let first = TreePath(entry.linkTarget)
            else { break }
            return try data(of: first, in: layer, limit: limit, links: links + 1)
        }
        throw LayerError(
            .archive("the layer does not hold it, although its listing says so"), at: path.bytes)
    }
}
