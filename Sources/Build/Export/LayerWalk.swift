import Archive
import Layers
import OCI

/// Goes through a layer's blob once, entry by entry, and says which path of the image each one means.
///
/// A link that the layer made before is followed in the directories of a path, as where the layer is unpacked in place.
///
/// OCI image-spec v1.1, layer.md, "Applying Changesets".
final class LayerWalk {
    enum Mark {
        case whiteout(TreePath)
        case opaque(TreePath)
        /// A hard link's target is the path of an entry of the same layer.
        case entry(TreePath, TarEntry)
    }

    private let tar: TarReader
    private let blob: Digest
    private var links: [TreePath: [UInt8]] = [:]

    init(_ source: any ByteSource, blob: Digest) {
        tar = TarReader(source)
        self.blob = blob
    }

    /// The next mark; nil at the end, when the blob has been read to its end.
    func next() throws -> Mark? {
        while let entry = try reading({ try tar.next() }) {
            guard let named = TreePath(entry.path) else { throw unsafe(entry.path) }
            let path = try place(named)
            switch Whiteout(name: path.name) {
            case .meaningless?: continue
            case .opaque?: return .opaque(path.parent ?? .root)
            case .name(let name)?: return .whiteout(try sibling(of: path, name))
            case nil: break
            }
            if path.isRoot, entry.kind != .directory { continue }
            return .entry(path, try resolved(entry, at: path))
        }
        return nil
    }

    /// The next data of the entry that came last, as `TarReader.nextBlock`.
    func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
        try reading { try tar.nextBlock() }
    }

    /// What the blob did wrong.
    func damage(_ reason: String) -> ExportError {
        ExportError(.damagedBlob(blob, reason: reason), hint: "lichen store check")
    }

    private func resolved(_ entry: TarEntry, at path: TreePath) throws(ExportError) -> TarEntry {
        var entry = entry
        switch entry.kind {
        case .symlink: links[path] = entry.linkTarget
        case .hardLink:
            guard let named = TreePath(entry.linkTarget), !named.isRoot else {
                throw unsafe(entry.linkTarget)
            }
            let target = try place(named)
            entry.linkTarget = target.bytes
            entry.xattrs = []
            links[path] = links[target]
        default: links[path] = nil
        }
        entry.path = path.bytes
        return entry
    }

    private func sibling(of path: TreePath, _ name: ArraySlice<UInt8>) throws(ExportError)
        -> TreePath
    {
        let isName =
            !name.isEmpty && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
        if !isName { throw unsafe(path.bytes) }
        return (path.parent ?? .root).appending(name)
    }

    private func place(_ path: TreePath) throws(ExportError) -> TreePath {
        if links.isEmpty { return path }
        var current = TreePath.root
        var pending = Array(path.components.map(Array.init).reversed())
        var count = 0
        while let component = pending.popLast() {
            if component == Array(".".utf8) { continue }
            if component == Array("..".utf8) {
                current = current.parent ?? .root
                continue
            }
            let next = current.appending(component)
            if !pending.isEmpty, let target = links[next] {
                count += 1
                if count > 40 { throw unsafe(path.bytes) }
                let slash = UInt8(ascii: "/")
                if target.first == slash { current = .root }
                pending += target.split(separator: slash).reversed().map { Array($0) }
                continue
            }
            current = next
        }
        return current
    }

    private func unsafe(_ path: [UInt8]) -> ExportError {
        ExportError(.unwritableFile(path, reason: "the path leaves the image"))
    }

    private func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as ArchiveError { throw damage("\(error)") }
    }
}
