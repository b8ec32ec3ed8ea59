public import Linux

/// One line of a listing: what a layer says of one path.
public struct ListingEntry: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case file, directory, symbolicLink, characterDevice, blockDevice, fifo
        /// Hides the path of the lower layers.
        case whiteout
    }

    public var kind: Kind
    /// A directory that hides what lower layers have in it.
    public var isOpaque = false
    /// A directory that the layer has no entry for: it only stands in the paths of others, and what lower layers say of it holds.
    public var isImplied = false
    public var permissions: UInt16
    public var uid, gid: UInt32
    /// Seconds since 1970.
    public var modified: Int64
    /// Of a file.
    public var size: UInt64
    /// Of a symbolic link.
    public var linkTarget: [UInt8]

    public init(
        kind: Kind, permissions: UInt16 = 0, uid: UInt32 = 0, gid: UInt32 = 0, modified: Int64 = 0,
        size: UInt64 = 0,
        linkTarget: [UInt8] = []
    ) {
        self.kind = kind
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.modified = modified
        self.size = size
        self.linkTarget = linkTarget
    }
}

/// The entries of one layer, sorted by path, in a form that is searched where it lies: a file of the store, mapped.
///
/// Written whenever a layer is packed or unpacked. With it a path is resolved, or a change found, without any tree.
///
/// Layout, little-endian: 8 bytes magic, 4 bytes each: count, count of implied directories, largest uid, largest gid; `count` × 4
/// bytes offset, the records, 32 bytes SHA-256 of all before.
/// A record: kind 1, flags 1, permissions 2, uid 4, gid 4, modified 8, size 8, length of path 2, of link 2, path, link.
/// Flags: 1 opaque, 2 implied, 4 hides what lower layers have below it, by itself or by a directory above it.
public final class Listing: Sendable {
    static let magic = Array("lichnls4".utf8)

    /// Whether this is a listing that an older or newer Lichen wrote.
    public static func isOfOtherVersion(_ file: MappedFile) -> Bool {
        let start = file.bytes.prefix(8)
        return start.count == 8 && start.dropLast().elementsEqual(magic.dropLast())
            && !start.elementsEqual(magic)
    }

    static let headerSize = 24
    static let recordSize = 32
    static let digestSize = 32

    private let file: MappedFile
    public let count: Int
    private let impliedCount: Int
    /// Of all entries; 0 where there are none.
    public let largestUID, largestGID: UInt32

    /// A listing as the store has it. Its framing is checked here; its digest by `isIntact`.
    public init(_ file: MappedFile) throws(LayerError) {
        let bytes = file.bytes
        guard bytes.count >= Self.headerSize + Self.digestSize,
            bytes.prefix(8).elementsEqual(Self.magic)
        else {
            throw LayerError(.damagedListing, at: [])
        }
        count = Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self).littleEndian)
        impliedCount = Int(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self).littleEndian)
        largestUID = bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self).littleEndian
        largestGID = bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self).littleEndian
        guard Self.headerSize + count * (4 + Self.recordSize) + Self.digestSize <= bytes.count
        else {
            throw LayerError(.damagedListing, at: [])
        }
        self.file = file
    }

    /// What this layer says of `path`, if anything.
    public func entry(at path: TreePath) -> ListingEntry? {
        let index = lowerBound(path)
        guard index < count, pathBytes(index).elementsEqual(path.bytes) else { return nil }
        return entry(index)
    }

    /// What this layer says of `path`, and whether it hides what lower layers have there.
    ///
    /// In time that grows with the length of the path, not with its depth as well: directories above it are not searched for.
    func view(of path: TreePath) -> (entry: ListingEntry?, hidesLower: Bool) {
        let index = lowerBound(path)
        if index < count, pathBytes(index).elementsEqual(path.bytes) {
            return (entry(index), hidesBelow(index))
        }
        return (nil, ancestor(of: path, before: index).map(hidesBelow) ?? false)
    }

    /// The directories that have no entry of their own. Most layers have none, and are not looked through for it.
    public var impliedDirectories: [TreePath] {
        if impliedCount == 0 { return [] }
        return (0..<count).compactMap { entry($0).isImplied ? path($0) : nil }
    }

    /// The names right below `directory`, in order: also of what only stands in the paths of other entries.
    func childNames(of directory: TreePath) -> [ArraySlice<UInt8>] {
        var names: [ArraySlice<UInt8>] = []
        var index = lowerBound(directory)
        while index < count {
            let path = path(index)
            guard directory.contains(path) else { break }
            if path == directory {
                index += 1
                continue
            }
            let start = directory.isRoot ? 0 : directory.bytes.count + 1
            let name = path.bytes[start...].prefix { $0 != slash }
            names.append(name)
            // A NUL is in no name: it stands behind the slash of all that is below, and before every other byte.
            let end = directory.appending(name).bytes + [0]
            index = lowerBound(TreePath(unchecked: end))
        }
        return names
    }

    /// Calls `body` for every entry, in order.
    public func forEach(_ body: (TreePath, ListingEntry) throws -> Void) rethrows {
        for index in 0..<count { try body(path(index), entry(index)) }
    }

    /// The bytes that the digest at the end is of, and that digest: for a check of the store.
    public var digestedParts: (content: UnsafeRawBufferPointer, digest: [UInt8]) {
        let end = file.bytes.count - Self.digestSize
        return (UnsafeRawBufferPointer(rebasing: file.bytes[..<end]), Array(file.bytes[end...]))
    }

    // MARK: - Records

    private func lowerBound(_ path: TreePath) -> Int {
        path.bytes.withUnsafeBytes { lowerBound($0) }
    }

    private func lowerBound(_ wanted: UnsafeRawBufferPointer) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if TreePath.precedes(pathBytes(middle), wanted) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// The lowest listed directory above `path`, whose place among the entries is `index`.
    ///
    /// Whatever stands between that directory and this place lies below the directory: so it is the entry before the place, or
    /// above that one, and the part that both paths share names it.
    private func ancestor(of path: TreePath, before index: Int) -> Int? {
        if index == 0 { return nil }
        return path.bytes.withUnsafeBytes { path in
            var end = TreePath.lengthOfSharedDirectory(pathBytes(index - 1), path)
            while true {
                let shared = UnsafeRawBufferPointer(rebasing: path[..<end])
                let found = lowerBound(shared)
                if found < count, pathBytes(found).elementsEqual(shared) { return found }
                if end == 0 { return nil }
                // A layer lists the directories of all that it has; this is for a listing that does not.
                end = shared.lastIndex(of: slash) ?? 0
            }
        }
    }

    private func hidesBelow(_ index: Int) -> Bool {
        load(record(index) + 1, UInt8.self) & 4 != 0
    }

    /// Where a record starts; a damaged offset leads to the first record, never out of the file.
    private func record(_ index: Int) -> Int {
        let offset = Int(
            file.bytes.loadUnaligned(fromByteOffset: Self.headerSize + 4 * index, as: UInt32.self)
                .littleEndian)
        let first = Self.headerSize + 4 * count
        return offset >= first && offset + Self.recordSize <= file.bytes.count - Self.digestSize
            ? offset : first
    }

    private func slice(_ record: Int) -> (
        path: UnsafeRawBufferPointer, link: UnsafeRawBufferPointer
    ) {
        let end = file.bytes.count - Self.digestSize
        let start = record + Self.recordSize
        let pathEnd = min(start + Int(load(record + 28, UInt16.self)), end)
        let linkEnd = min(pathEnd + Int(load(record + 30, UInt16.self)), end)
        return (
            UnsafeRawBufferPointer(rebasing: file.bytes[start..<pathEnd]),
            UnsafeRawBufferPointer(rebasing: file.bytes[pathEnd..<linkEnd])
        )
    }

    private func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, _ type: Number.Type
    ) -> Number {
        Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    private func pathBytes(_ index: Int) -> UnsafeRawBufferPointer { slice(record(index)).path }

    private func path(_ index: Int) -> TreePath { TreePath(unchecked: Array(pathBytes(index))) }

    private func entry(_ index: Int) -> ListingEntry {
        let record = record(index)
        var entry = ListingEntry(
            kind: ListingEntry.Kind(rawValue: load(record, UInt8.self)) ?? .file,
            permissions: load(record + 2, UInt16.self), uid: load(record + 4, UInt32.self),
            gid: load(record + 8, UInt32.self), modified: load(record + 12, Int64.self),
            size: load(record + 20, UInt64.self), linkTarget: Array(slice(record).link))
        entry.isOpaque = load(record + 1, UInt8.self) & 1 != 0
        entry.isImplied = load(record + 1, UInt8.self) & 2 != 0
        return entry
    }
}
