import Archive
import Limits
import Linux
import OCI
import SystemPackage

/// The files in a tar, packed or not, by their paths. The tar is read through once for their names, and again for large ones.
final class ArchiveMembers {
    /// More files than this no image has.
    private static let mostMembers = Limit.archiveMembers
    /// Files up to this size are kept as they come: the documents are among them.
    private static let smallSize: Int64 = 64 << 10
    private static let smallTotal = 32 << 20

    struct Member {
        var kind: TarEntry.Kind
        var size: Int64
        /// Of a link, the path that it leads to.
        var target: String
    }

    private let file: SharedDescriptor
    private let checkCancellation: () throws -> Void
    private var members: [String: Member] = [:]
    private var small: [String: [UInt8]] = [:]
    private var smallCount = 0

    init(_ path: String, checkCancellation: @escaping () throws -> Void) throws {
        self.checkCancellation = checkCancellation
        let file = try ImportError.during("open it") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(
                path, [.readOnly, .nonBlocking], resolve: .system)
        }
        let kind = try ImportError.during("look at it") { () throws(Errno) in
            try file.borrowed.status().kind
        }
        if kind == .directory {
            throw ImportError(
                .wrongFormat("it is a directory"), hint: "oci-layout:// names a directory")
        }
        if kind != .regular {
            throw ImportError(.wrongFormat("it is no file; an archive is read more than once"))
        }
        self.file = SharedDescriptor(file)
        try readThrough { name, entry, tar in
            try add(name, entry, tar)
            return true
        }
    }

    /// The file at `path`, links followed; nil where there is none.
    func member(_ path: String) -> (name: String, size: Int64)? {
        var name = Self.clean(path, in: "")
        for _ in 0..<8 {
            guard let member = members[name] else { return nil }
            if member.kind == .file { return (name, member.size) }
            if member.target.isEmpty { return nil }
            name = member.target
        }
        return nil
    }

    /// The content of a small file; nil where there is none.
    func document(_ path: String, limit: Int) throws -> [UInt8]? {
        guard let (name, size) = member(path) else { return nil }
        if size > Int64(limit) {
            throw ImportError(.damaged("\(ImportError.word(path)) is larger than \(limit) bytes"))
        }
        if let bytes = small[name] { return bytes }
        var found: [UInt8]?
        try extract([name]) { _, entry, tar in found = try tar.data(of: entry, limit: limit) }
        return found
    }

    /// Calls `body` for each of these files, in the order of the tar, named as `member` names them.
    func extract(
        _ names: Set<String>, _ body: (String, TarEntry, TarReader) throws -> Void
    ) throws {
        var left = names
        if left.isEmpty { return }
        try readThrough { name, entry, tar in
            if left.remove(name) != nil { try body(name, entry, tar) }
            return !left.isEmpty
        }
        if let name = left.first { throw ImportError(.missing(name)) }
    }

    private func add(_ name: String, _ entry: TarEntry, _ tar: TarReader) throws {
        if entry.kind == .directory { return }
        if members.count == Self.mostMembers {
            throw ImportError(.damaged("it holds more than \(Self.mostMembers) files"))
        }
        var target = ""
        let text = String(decoding: entry.linkTarget, as: UTF8.self)
        switch entry.kind {
        case .symlink: target = Self.clean(text, in: Self.directory(of: name))
        case .hardLink: target = Self.clean(text, in: "")
        default: break
        }
        let member = Member(kind: entry.kind, size: entry.size, target: target)
        // One reader would take the first, another the last.
        guard members.updateValue(member, forKey: name) == nil else {
            throw ImportError(.damaged("it has \(ImportError.word(name)) twice"))
        }
        if entry.kind == .file, entry.size <= Self.smallSize, smallCount < Self.smallTotal {
            small[name] = try tar.data(of: entry, limit: Int(Self.smallSize))
            smallCount += Int(entry.size)
        }
    }

    /// Goes through the tar from its start until `body` says false.
    private func readThrough(_ body: (String, TarEntry, TarReader) throws -> Bool) throws {
        do {
            let plain = try Decompressor(DescriptorSource(file.borrowed, offset: 0))
            let ahead = ReadAhead(plain)
            // Its thread reads from the descriptor, which goes with us.
            defer { ahead.stop() }
            let tar = TarReader(ahead)
            while let entry = try tar.next() {
                try checkCancellation()
                let name = Self.clean(String(decoding: entry.path, as: UTF8.self), in: "")
                guard try body(name, entry, tar) else { return }
            }
        } catch let error as ArchiveError {
            if case .system(let step, let errno) = error.problem {
                throw ImportError(.system(SystemError(step, errno)))
            }
            throw ImportError(.damaged("\(error)"))
        }
    }

    private static func directory(of name: String) -> String {
        name.split(separator: "/").dropLast().joined(separator: "/")
    }

    /// A path below the root of the archive, without `.` and `..`.
    private static func clean(_ path: String, in directory: String) -> String {
        var parts = path.hasPrefix("/") ? [] : directory.split(separator: "/")
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
