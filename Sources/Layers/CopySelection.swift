import Glibc
import Linux
public import OCI
import SystemPackage

/// What the sources of one COPY or ADD are: found, listed and digested, before anything is known of where they go.
///
/// Its digest is the part of a cache key that stands for the files: it never needs the image that they are copied into. Files are
/// read for it unless their digests are remembered; they are read again into the layer, and one that changed meanwhile is an error.
public struct CopySelection: Sendable {
    /// One file, or one directory with all below it.
    struct Match: Sendable {
        var word: Int
        var path: TreePath
        var name: [UInt8]
        /// The file or directory itself, then what is below, in the order of paths.
        var entries: [Entry]

        var isDirectory: Bool { entries[0].status.kind == .directory }
    }

    struct Entry: Sendable {
        /// Below the match; the root for itself.
        var path: TreePath
        var status: FileStatus
        var linkTarget: [UInt8] = []
        /// Those that a layer carries.
        var attributes: [ExtendedAttribute] = []
        /// Of a file.
        var digest: Digest?
        /// An earlier entry of the match that is the same file.
        var firstName: Int?
    }

    public let words: [String]
    let source: any CopySource
    let matches: [Match]

    /// Of everything that was read: names, kinds, modes, link targets, attributes and bytes; owners only of another image's files.
    /// Neither times nor the order in which a directory holds its names.
    public let digest: Digest
    public let notices: [CopyNotice]

    /// Finds and reads what `words` name, in order.
    ///
    /// A pattern without a match is a notice and no error, as in BuildKit; anything else that is not there is an error.
    public init(
        _ words: [String], in source: any CopySource, digests: (any ContentDigests)? = nil
    ) throws(CopyError) {
        var reader = SelectionReader(source: source, digests: digests)
        for (index, word) in words.enumerated() { try reader.read(word, index) }
        self.words = words
        self.source = source
        matches = reader.matches
        notices = reader.notices
        digest = reader.digest()
    }

    public var isEmpty: Bool { matches.isEmpty }
}

/// Gathers the matches of a selection.
private struct SelectionReader {
    let source: any CopySource
    let digests: (any ContentDigests)?
    var matches: [CopySelection.Match] = []
    var notices: [CopyNotice] = []
    private let buffer = Buffer()

    init(source: any CopySource, digests: (any ContentDigests)?) {
        self.source = source
        self.digests = digests
    }

    mutating func read(_ word: String, _ index: Int) throws(CopyError) {
        let found = try SourceWord(word: word, source: source).find()
        if found.isEmpty { notices.append(.noMatch(word: word)) }
        for item in found {
            var match = CopySelection.Match(
                word: index, path: item.path, name: item.name, entries: [])
            try fill(&match, with: item.status, word)
            if !match.entries.isEmpty { matches.append(match) }
        }
    }

    private mutating func fill(
        _ match: inout CopySelection.Match, with status: FileStatus, _ word: String
    ) throws(CopyError) {
        var firstNames: [FileKey: Int] = [:]
        var pending = [(path: TreePath.root, status: status)]
        while let next = pending.popLast() {
            let path = match.path.appending(next.path)
            if next.status.kind == .socket {
                notices.append(.socketLeftOut(path: path.bytes))
                continue
            }
            if next.path.name.starts(with: Whiteout.prefix) {
                throw CopyError(.whiteoutName, word: word, path: path.bytes)
            }
            var entry = CopySelection.Entry(path: next.path, status: next.status)
            if next.status.kind == .regular, next.status.linkCount > 1 {
                let key = FileKey(next.status)
                entry.firstName = firstNames[key]
                if entry.firstName == nil { firstNames[key] = match.entries.count }
            }
            try complete(&entry, at: path, word)
            match.entries.append(entry)
            if next.status.kind == .directory {
                let children = try of(word) { () throws(SystemError) in
                    try source.children(of: path)
                }
                for child in children.reversed() {
                    pending.append((next.path.appending(child.name), child.status))
                }
            }
        }
    }

    /// Reads what a layer will hold of an entry beside its status.
    private func complete(
        _ entry: inout CopySelection.Entry, at path: TreePath, _ word: String
    ) throws(CopyError) {
        let isContext = source.origin == .context
        entry.attributes = try of(word) { () throws(SystemError) in
            try source.attributes(of: path)
        }.carriedToLayer.filter { !isContext || !$0.name.starts(with: "system.posix_acl_".utf8) }
        switch entry.status.kind {
        case .symbolicLink:
            entry.linkTarget = try of(word) { () throws(SystemError) in
                try source.linkTarget(of: path)
            }
        case .regular where entry.firstName == nil:
            entry.digest = try contentDigest(of: entry.status, at: path, word)
        default: break
        }
    }

    private func contentDigest(
        of status: FileStatus, at path: TreePath, _ word: String
    ) throws(CopyError) -> Digest {
        if let known = digests?.digest(of: status) { return known }
        let time = FileTime.now
        let file = try of(word) { () throws(SystemError) in try source.open(path) }
        let digest = try of(word) { () throws(SystemError) -> Digest? in
            try during("read /\(printable(path.bytes))") { () throws(Errno) in
                guard try file.borrowed.status().isUnchanged(since: status) else { return nil }
                let digest = try file.borrowed.contentDigest(buffer.bytes)
                return try file.borrowed.status().isUnchanged(since: status) ? digest : nil
            }
        }
        guard let digest else { throw CopyError(.changed, word: word, path: path.bytes) }
        digests?.remember(digest, of: status, readAt: time)
        return digest
    }

    // MARK: - Digest

    func digest() -> Digest {
        var hash = FramedHash(domain: "lichen copy selection 1")
        let keepsOwners = source.origin == .image
        hash.add(keepsOwners ? 1 : 0)
        hash.add(matches.count)
        for match in matches {
            hash.add(match.word)
            hash.add(match.name)
            hash.add(match.entries.count)
            for entry in match.entries { add(entry, keepsOwners: keepsOwners, to: &hash) }
        }
        return hash.finish()
    }

    private func add(
        _ entry: CopySelection.Entry, keepsOwners: Bool, to hash: inout FramedHash
    ) {
        let status = entry.status
        hash.add(entry.path.bytes)
        hash.add(status.kind.rawValue)
        // Of a directory that is named itself only what is in it is copied.
        if entry.path.isRoot, status.kind == .directory { return }
        hash.add(status.kind == .symbolicLink ? 0 : status.permissions)
        hash.add(keepsOwners ? status.uid : 0)
        hash.add(keepsOwners ? status.gid : 0)
        hash.add(entry.linkTarget)
        let isDevice = status.kind == .characterDevice || status.kind == .blockDevice
        hash.add(isDevice ? status.special.major : 0)
        hash.add(isDevice ? status.special.minor : 0)
        hash.add(entry.firstName ?? -1)
        hash.add(entry.digest?.bytes ?? [])
        hash.add(entry.attributes.count)
        for attribute in entry.attributes {
            hash.add(attribute.name)
            hash.add(attribute.value)
        }
    }
}

/// The identity of a file with several names.
struct FileKey: Hashable {
    var device: DeviceNumber
    var inode: UInt64

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}

/// One buffer for all files of a selection.
private final class Buffer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
    deinit { bytes.deallocate() }
}

extension FileTime {
    /// By the clock that stamps files.
    static var now: FileTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
    }
}
