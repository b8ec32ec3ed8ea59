import Archive
import Limits

/// Gathers the entries of a layer while it is packed or unpacked, and writes its listing.
///
/// A path that comes twice counts as it came last, as it does in a tar.
public struct ListingBuilder {
    /// More entries than any image has: each takes some 100 bytes of memory here.
    public static let largestCount = Limit.listingEntries
    /// Bytes of all paths and link targets. One entry may imply two thousand directories.
    static let largestSize = Limit.listingPaths
    /// The longest path or link target that a system call takes.
    static let longestPath = 4095
    /// Entries looked through for what lies below directories that a layer itself replaces: none does that more than a few times.
    private static let largestRemovalWork = Limit.listingRemovals

    private var entries: [TreePath: ListingEntry] = [:]
    private var size = 0
    private var removalWork = 0

    public init() {}

    public subscript(path: TreePath) -> ListingEntry? {
        get { entries[path] }
        set {
            let old = entries[path]
            size += Self.size(path, newValue) - Self.size(path, old)
            entries[path] = newValue
        }
    }

    private static func size(_ path: TreePath, _ entry: ListingEntry?) -> Int {
        entry.map { path.bytes.count + $0.linkTarget.count } ?? 0
    }

    public var count: Int { entries.count }

    /// What there is too much of, in words; nil where all is within its limits.
    var excess: String? {
        if count > Self.largestCount {
            return "the layer has more than \(Self.largestCount) entries"
        }
        if size > Self.largestSize {
            return "the names in the layer take more than \(Self.largestSize >> 20) MiB"
        }
        if removalWork > Self.largestRemovalWork {
            return "the layer replaces its own directories too often"
        }
        return nil
    }

    /// Takes back a path and all below it: a directory that something else replaces.
    mutating func remove(below path: TreePath) {
        removalWork += entries.count
        var removed = 0
        entries = entries.filter { key, entry in
            if !path.contains(key) || key == path { return true }
            removed += Self.size(key, entry)
            return false
        }
        size -= removed
    }

    /// Marks `directory` as hiding what lower layers have in it.
    mutating func makeOpaque(_ directory: TreePath) {
        var entry = self[directory] ?? ListingEntry(kind: .directory, permissions: 0o755)
        entry.isOpaque = true
        self[directory] = entry
    }

    /// Lists the directories above `path` that have no entry so far.
    public mutating func implyDirectories(above path: TreePath) {
        var next = path.parent
        while let directory = next, !directory.isRoot, entries[directory] == nil {
            self[directory] = .implied
            next = directory.parent
        }
    }

    /// The listing's file, as `Listing` reads it.
    public func encoded() throws(LayerError) -> [UInt8] {
        if let excess { throw LayerError(.limit(excess), at: []) }
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
        var above = HidingDirectories()
        for (path, entry) in sorted {
            try Self.checkLength(path, entry)
            let flags: UInt8 =
                (entry.isOpaque ? 1 : 0) | (entry.isImplied ? 2 : 0)
                | (above.hidesBelow(path, entry) ? 4 : 0)
            bytes.append(entry.kind.rawValue)
            bytes.append(flags)
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

    private static func checkLength(_ path: TreePath, _ entry: ListingEntry) throws(LayerError) {
        if path.bytes.count <= longestPath, entry.linkTarget.count <= ArchiveLimits.linkTarget {
            return
        }
        throw LayerError(
            .limit("its path or target is longer than \(longestPath) bytes"),
            at: Array(path.bytes.prefix(64)))
    }

    private func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

/// Tells of each of the sorted entries whether lower layers' files below its path are hidden.
private struct HidingDirectories {
    /// From the root down to the last entry.
    private var way: [(path: TreePath, hides: Bool)] = []

    mutating func hidesBelow(_ path: TreePath, _ entry: ListingEntry) -> Bool {
        while let last = way.last, !last.path.contains(path) { way.removeLast() }
        let hides = way.last?.hides == true || entry.kind != .directory || entry.isOpaque
        way.append((path, hides))
        return hides
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
