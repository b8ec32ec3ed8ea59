import Archive
import Limits

/// Gathers the entries of a layer while it is packed or unpacked, and writes its listing.
///
/// A path that comes twice counts as it came last, as it does in a tar.
public struct ListingBuilder {
    /// More entries than any image has: each takes some 100 bytes of memory here.
    public static let largestCount = Limit.listingEntries

    private var entries: [TreePath: ListingEntry] = [:]

    public init() {}

    public subscript(path: TreePath) -> ListingEntry? {
        get { entries[path] }
        set { entries[path] = newValue }
    }

    public var count: Int { entries.count }

    /// Takes back a path and all below it: a directory that something else replaces.
    mutating func remove(below path: TreePath) {
        entries = entries.filter { !path.contains($0.key) || $0.key == path }
    }

    /// Marks `directory` as hiding what lower layers have in it.
    mutating func makeOpaque(_ directory: TreePath) {
        entries[directory, default: ListingEntry(kind: .directory, permissions: 0o755)].isOpaque =
            true
    }

    /// Lists the directories above `path` that have no entry so far.
    public mutating func implyDirectories(above path: TreePath) {
        var next = path.parent
        while let directory = next, !directory.isRoot, entries[directory] == nil {
            entries[directory] = .implied
            next = directory.parent
        }
    }

    /// The listing's file, as `Listing` reads it.
    public func encoded() -> [UInt8] {
        let sorted = entries.sorted { $0.key < $1.key }
        var bytes = Listing.magic
        append(UInt32(sorted.count), to: &bytes)
        append(UInt32(sorted.reduce(0) { $0 + ($1.value.isImplied ? 1 : 0) }), to: &bytes)
        append(sorted.reduce(0) { max($0, $1.value.uid) }, to: &bytes)
        append(sorted.reduce(0) { max($0, $1.value.gid) }, to: &bytes)
        var offset = Listing.headerSize + 4 * sorted.count
        for (path, entry) in sorted {
            append(UInt32(offset), to: &bytes)
            offset += Listing.recordSize + path.bytes.count + entry.linkTarget.count
        }
        bytes.reserveCapacity(offset + Listing.digestSize)
        for (path, entry) in sorted {
            bytes.append(entry.kind.rawValue)
            bytes.append((entry.isOpaque ? 1 : 0) | (entry.isImplied ? 2 : 0))
            append(entry.permissions, to: &bytes)
            append(entry.uid, to: &bytes)
            append(entry.gid, to: &bytes)
            append(entry.modified, to: &bytes)
            append(entry.size, to: &bytes)
            append(UInt16(path.bytes.count), to: &bytes)
            append(UInt16(entry.linkTarget.count), to: &bytes)
            bytes.append(contentsOf: path.bytes)
            bytes.append(contentsOf: entry.linkTarget)
        }
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        bytes.append(contentsOf: hash.finish())
        return bytes
    }

    private func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension ListingEntry {
    /// A directory that was made because something is in it.
    static var implied: ListingEntry {
        var entry = ListingEntry(kind: .directory, permissions: 0o755)
        entry.isImplied = true
        return entry
    }
}
