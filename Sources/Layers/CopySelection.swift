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
        /// A directory that comes only for what is in it, as `--parents` and exceptions of `--exclude` bring it.
        var isParent = false
    }

    public let words: [String]
    let source: any CopySource
    let matches: [Match]

    /// Of everything that was read: names, kinds, modes, link targets, attributes and bytes; owners only of another image's files.
    /// Neither times nor the order in which a directory holds its names.
    public let digest: Digest
    public let notices: [CopyNotice]
    /// Whether a file of it that is an archive is unpacked where it would go.
    public var unpacksArchives = false

    init(
        words: [String], source: any CopySource, matches: [Match], digest: Digest,
        notices: [CopyNotice]
    ) {
        self.words = words
        self.source = source
        self.matches = matches
        self.digest = digest
        self.notices = notices
    }

    /// Finds and reads what `words` name, in order.
    ///
    /// A pattern without a match is a notice and no error, as in BuildKit; anything else that is not there is an error.
    ///
    /// - Parameter excludes: what is left of a source, by paths below it; of a source that is a file, by its name. Dockerfile
    ///   reference, "COPY --exclude".
    public init(
        _ words: [CopyWord], in source: any CopySource, excludes: (any PathFilter)? = nil,
        digests: (any ContentDigests)? = nil
    ) throws(CopyError) {
        var reader = SelectionReader(source: source, excludes: excludes, digests: digests)
        for (index, word) in words.enumerated() { try reader.read(word, index) }
        self.init(
            words: words.map(\.text), source: source, matches: reader.matches,
            digest: reader.digest(), notices: reader.notices)
    }

    public init(
        _ words: [String], in source: any CopySource, digests: (any ContentDigests)? = nil
    ) throws(CopyError) {
        try self.init(words.map { CopyWord($0) }, in: source, digests: digests)
    }

    public var isEmpty: Bool { matches.isEmpty }
}

/// Gathers the matches of a selection.
private struct SelectionReader {
    let source: any CopySource
    let excludes: (any PathFilter)?
    let digests: (any ContentDigests)?
    var matches: [CopySelection.Match] = []
    var notices: [CopyNotice] = []
    private let buffer = Buffer()

    init(
        source: any CopySource, excludes: (any PathFilter)?, digests: (any ContentDigests)?
    ) {
        self.source = source
        self.excludes = excludes
        self.digests = digests
    }

    mutating func read(_ word: CopyWord, _ index: Int) throws(CopyError) {
        let parents = word.parents
        let source = SourceWord(
            word: word.text, path: parents?.start ?? word.text, source: source)
        let found = try source.find()
        if source.leavesContext { notices.append(.leavesContext(word: word.text)) }
        var isEmpty = true
        for item in found {
            if parents != nil, item.status.kind != .directory { continue }
            if item.status.kind != .directory, excludes?.includes(item.name) == false {
                isEmpty = false
                continue
            }
            var match = CopySelection.Match(
                word: index, path: item.path, name: item.name, entries: [])
            let filling = try fill(&match, with: item.status, word)
            if filling == .something || parents == nil { isEmpty = false }
            if !match.entries.isEmpty { matches.append(match) }
        }
        guard isEmpty else { return }
        if parents?.isNeeded == true {
            throw CopyError(.missingSource, word: word.text, path: Array(word.text.utf8))
        }
        notices.append(.noMatch(word: word.text))
    }

    /// Whether anything was found that the word means.
    private enum Filling { case nothing, something }

    private mutating func fill(
        _ match: inout CopySelection.Match, with status: FileStatus, _ word: CopyWord
    ) throws(CopyError) -> Filling {
        let filter = EntryFilter(wanted: word.parents?.wanted, excludes: excludes)
        var filling = word.parents?.wanted == nil ? Filling.something : .nothing
        var firstNames: [FileKey: Int] = [:]
        // Directories on the way to what may come, which come with it.
        var held: [CopySelection.Entry] = []
        var pending = [(path: TreePath.root, status: status)]
        while let next = pending.popLast() {
            while let last = held.last, !last.path.contains(next.path) { held.removeLast() }
            var entry = CopySelection.Entry(path: next.path, status: next.status)
            let fate = filter.fate(of: next.path)
            if fate != .unwanted, !next.path.isRoot { filling = .something }
            if fate == .included {
                if next.status.kind == .socket {
                    notices.append(.socketLeftOut(path: match.path.appending(next.path).bytes))
                    continue
                }
                for var parent in held {
                    parent.isParent = true
                    try append(parent, to: &match, &firstNames, word.text)
                }
                held = []
                try append(entry, to: &match, &firstNames, word.text)
            }
            guard next.status.kind == .directory else { continue }
            if fate != .included {
                guard filter.mayInclude(below: next.path) else { continue }
                entry.isParent = true
                held.append(entry)
            }
            let path = match.path.appending(next.path)
            let children = try of(word.text) { () throws(SystemError) in
                try source.children(of: path)
            }
            for child in children.reversed() {
                pending.append((next.path.appending(child.name), child.status))
            }
        }
        return filling
    }

    private func append(
        _ entry: CopySelection.Entry, to match: inout CopySelection.Match,
        _ firstNames: inout [FileKey: Int], _ word: String
    ) throws(CopyError) {
        let path = match.path.appending(entry.path)
        if entry.path.name.starts(with: Whiteout.prefix) {
            throw CopyError(.whiteoutName, word: word, path: path.bytes)
        }
        var entry = entry
        if entry.status.kind == .regular, entry.status.linkCount > 1 {
            let key = FileKey(entry.status)
            entry.firstName = firstNames[key]
            if entry.firstName == nil { firstNames[key] = match.entries.count }
        }
        try complete(&entry, at: path, word)
        match.entries.append(entry)
    }

    /// Reads what a layer will hold of an entry beside its status.
    private func complete(
        _ entry: inout CopySelection.Entry, at path: TreePath, _ word: String
    ) throws(CopyError) {
        let isContent = entry.status.kind == .regular && entry.firstName == nil
        let known = isContent ? digests?.content(of: entry.status) : nil
        if let known, !known.hasAttributes {
            entry.digest = known.digest
            return
        }
        let isContext = source.origin == .context
        entry.attributes = try of(word) { () throws(SystemError) in
            try source.attributes(of: path)
        }.carriedToLayer.filter { !isContext || !$0.name.starts(with: "system.posix_acl_".utf8) }
        switch entry.status.kind {
        case .symbolicLink:
            entry.linkTarget = try of(word) { () throws(SystemError) in
                try source.linkTarget(of: path)
            }
        case .regular where isContent:
            if let known {
                entry.digest = known.digest
            } else {
                entry.digest = try contentDigest(
                    of: entry.status, hasAttributes: !entry.attributes.isEmpty, at: path, word)
            }
        default: break
        }
    }

    private func contentDigest(
        of status: FileStatus, hasAttributes: Bool, at path: TreePath, _ word: String
    ) throws(CopyError) -> Digest {
        let time = FileTime.now
        let isFixed = source.isFixed
        let file = try of(word) { () throws(SystemError) in try source.open(path) }
        let digest = try of(word) { () throws(SystemError) -> Digest? in
            try during("read /\(printable(path.bytes))") { () throws(Errno) in
                func isUnchanged() throws(Errno) -> Bool {
                    isFixed ? true : try file.borrowed.status().isUnchanged(since: status)
                }
                guard try isUnchanged() else { return nil }
                let digest = try file.borrowed.contentDigest(buffer.bytes)
                return try isUnchanged() ? digest : nil
            }
        }
        guard let digest else { throw CopyError(.changed, word: word, path: path.bytes) }
        digests?.remember(
            KnownContent(digest: digest, hasAttributes: hasAttributes), of: status, readAt: time)
        return digest
    }

    // MARK: - Digest

    func digest() -> Digest {
        var hash = FramedHash(domain: "lichen copy selection 2")
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
        hash.add(entry.isParent ? 1 : 0)
        hash.add(entry.digest?.bytes ?? [])
        hash.add(entry.attributes.count)
        for attribute in entry.attributes {
            hash.add(attribute.name)
            hash.add(attribute.value)
        }
    }
}

/// What of a source is taken.
private struct EntryFilter {
    enum Fate { case included, excluded, unwanted }

    let wanted: (any PathFilter)?
    let excludes: (any PathFilter)?

    func fate(of path: TreePath) -> Fate {
        // The source itself was asked for; what is in it is looked at one by one.
        if path.isRoot { return .included }
        if wanted?.includes(path.bytes) == false { return .unwanted }
        return excludes?.includes(path.bytes) == false ? .excluded : .included
    }

    func mayInclude(below path: TreePath) -> Bool {
        let isWanted =
            wanted.map { $0.includes(path.bytes) || $0.mayInclude(below: path.bytes) } ?? true
        let isLeft =
            excludes.map { $0.includes(path.bytes) || $0.mayInclude(below: path.bytes) } ?? true
        return isWanted && isLeft
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
