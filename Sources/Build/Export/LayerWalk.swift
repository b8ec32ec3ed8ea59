import Archive
import Layers
import Linux
import OCI
import Store

/// Goes through a layer's blob once, file by file, and says which path of the image each one means.
final class LayerWalk {
    private let tar: TarReader
    private let blob: Digest
    private var indexer = LayerIndexer()

    init(_ source: any ByteSource, blob: Digest) {
        tar = TarReader(source)
        self.blob = blob
    }

    /// The next file, under its own path; a hard link names an earlier one. Nil at the end, when the blob has been read to its
    /// end. Whiteouts are passed over: the listings know of them.
    func next() throws -> (path: TreePath, entry: TarEntry)? {
        while var entry = try reading({ try tar.next() }) {
            switch try reading({ try indexer.take(entry) }) {
            case .root:
                entry.path = []
                return (.root, entry)
            case .file(let placement):
                entry.path = placement.path.bytes
                if let target = placement.linkTarget {
                    entry.linkTarget = target.bytes
                    entry.xattrs = []
                }
                return (placement.path, entry)
            case .whiteout, .opaque, .nothing: continue
            }
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

    private func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as ArchiveError {
            throw damage("\(error)")
        } catch let error
            as LayerError
        { throw damage(error.description) }
    }
}
