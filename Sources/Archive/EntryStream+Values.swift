import SystemPackage

// Entries and errors as frames carry them.

extension TarEntry.Kind {
    private static let all: [TarEntry.Kind] = [
        .file, .directory, .symlink, .hardLink, .characterDevice, .blockDevice, .fifo,
    ]

    fileprivate var number: UInt8 { UInt8(Self.all.firstIndex(of: self)!) }

    fileprivate init(number: UInt8) throws(EntryStreamError) {
        guard number < Self.all.count else { throw .malformed("an entry of kind \(number)") }
        self = Self.all[Int(number)]
    }
}

extension ByteWriter {
    /// - Parameter count: the headers up to this one.
    mutating func add(_ entry: TarEntry, count: Int) {
        add(UInt64(count))
        add(entry.kind.number)
        add(entry.path)
        add(entry.linkTarget)
        add(entry.mode)
        add(entry.uid)
        add(entry.gid)
        add(entry.size)
        add(entry.modified.seconds)
        add(entry.modified.nanoseconds)
        add(entry.major)
        add(entry.minor)
        add(UInt32(entry.xattrs.count))
        for xattr in entry.xattrs {
            add(xattr.name)
            add(xattr.value)
        }
    }

    mutating func add(_ error: ArchiveError) {
        switch error.problem {
        case .truncated: add(UInt8(0))
        case .corrupt(let words): add(UInt8(1), words)
        case .unsupported(let words): add(UInt8(2), words)
        case .limit(let words, let value):
            add(UInt8(3), words)
            add(value)
        case .unwritable(let words): add(UInt8(4), words)
        case .wrongSize(let declared, let actual):
            add(UInt8(5))
            add(declared)
            add(actual)
        case .system(let step, let errno):
            add(UInt8(6), step)
            add(errno.rawValue)
        case .library(let words): add(UInt8(7), words)
        }
        add(error.format?.rawValue ?? "")
        add(error.offset ?? -1)
        add(UInt8(error.entry == nil ? 0 : 1))
        add(error.entry ?? [])
    }

    private mutating func add(_ kind: UInt8, _ words: String) {
        add(kind)
        // What is longer is not of our making.
        add(Array(words.utf8.prefix(FrameReader.longestWords)))
    }
}

extension FrameReader {
    static let longestWords = 4096

    /// An entry that the reader of archives could have made; else it is an error.
    mutating func entry() throws(EntryStreamError) -> (entry: TarEntry, count: Int) {
        let count = try number(UInt64.self)
        guard count <= ArchiveLimits.entries else { throw .malformed("too many entries") }
        let kind = try TarEntry.Kind(number: try number())
        var entry = TarEntry(path: try text(limit: ArchiveLimits.longName), kind: kind)
        entry.linkTarget = try text(limit: ArchiveLimits.longName)
        entry.mode = try number()
        entry.uid = try number()
        entry.gid = try number()
        entry.size = try number()
        entry.modified = TarEntry.Time(seconds: try number(), nanoseconds: try number())
        entry.major = try number()
        entry.minor = try number()
        let xattrs = try number(UInt32.self)
        guard xattrs <= ArchiveLimits.xattrs else { throw .malformed("too many attributes") }
        for _ in 0..<xattrs {
            let name = try text(limit: ArchiveLimits.xattrName)
            let value = try text(limit: ArchiveLimits.xattrValue)
            if name.contains(0) { throw .malformed("an attribute's name") }
            entry.xattrs.append(TarEntry.Xattr(name: name, value: value))
        }
        guard isAtEnd, entry.mode <= 0o7777, entry.size >= 0, entry.uid != .max, entry.gid != .max,
            entry.modified.nanoseconds < 1_000_000_000, !entry.path.contains(0),
            !entry.linkTarget.contains(0),
            [.file, .hardLink].contains(entry.kind) || entry.size == 0
        else { throw .malformed("an impossible entry") }
        return (entry, Int(count))
    }

    mutating func archiveError() throws(EntryStreamError) -> ArchiveError {
        let problem = try problem()
        let format = ArchiveFormat(rawValue: try words(limit: 16))
        let offset = try number(Int64.self)
        let hasEntry = try number(UInt8.self) == 1
        let entry = try text(limit: ArchiveLimits.longName)
        return ArchiveError(
            problem, format: format, offset: offset < 0 ? nil : offset,
            entry: hasEntry ? entry : nil)
    }

    private mutating func problem() throws(EntryStreamError) -> ArchiveError.Problem {
        let limit = Self.longestWords
        switch try number(UInt8.self) {
        case 0: return .truncated
        case 1: return .corrupt(try words(limit: limit))
        case 2: return .unsupported(try words(limit: limit))
        case 3: return .limit(try words(limit: limit), try number())
        case 4: return .unwritable(try words(limit: limit))
        case 5: return .wrongSize(declared: try number(), actual: try number())
        case 6: return .system(step: try words(limit: limit), Errno(rawValue: try number()))
        case 7: return .library(try words(limit: limit))
        default: throw .malformed("an unknown error")
        }
    }
}
