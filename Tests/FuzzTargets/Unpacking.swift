import Archive
import Glibc
import Layers
import Linux
import SystemPackage
import TestSupport

extension FuzzTarget {
    /// The unpacking of a layer into a tree, with real files.
    static func unpack() throws -> FuzzTarget {
        let place = try Place()
        let outside = place.secret
        let seeds =
            TarSeeds.all
            + [place.path, outside].map { target in
                // A link that leads out, and a file behind it.
                TarSeeds.all[9].replacing(Array("/run".utf8), with: Array(target.utf8.prefix(90)))
            }
        return FuzzTarget(
            "unpack", seeds: seeds, fragments: TarSeeds.fragments + [Array(outside.utf8)]
        ) {
            try place.unpack(TarSeeds.repaired($0))
        }
    }
}

/// A directory with a tree to unpack into, and a file beside it that nothing may touch.
private final class Place: Sendable {
    private let directory: TemporaryDirectory
    private let before: FileStatus
    var path: String { directory.path("tree") }
    var secret: String { directory.path("secret") }

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("secret", "secret".utf8)
        before = try FileDescriptor.workingDirectory.status(of: directory.path("secret").utf8)
    }

    func unpack(_ bytes: [UInt8]) throws {
        let outer = try FileDescriptor.workingDirectory.open(
            directory.path, [.readOnly, .directory], resolve: .system)
        try removeTree("tree".utf8, in: outer.borrowed)
        try outer.borrowed.makeDirectory("tree".utf8, mode: 0o700)
        let tree = try outer.borrowed.open("tree", [.readOnly, .directory])
        let wasTaken = try takes(bytes, tree.borrowed)
        let names = try DirectoryReader().names(in: outer.borrowed).map {
            String(decoding: $0, as: UTF8.self)
        }
        try require(names.sorted() == ["secret", "tree"], "beside the tree there is \(names)")
        let now = try outer.borrowed.status(of: "secret".utf8)
        try require(
            now.isSameFile(as: before) && now.changed == before.changed && now.linkCount == 1,
            "a file beside the tree was touched")
        guard wasTaken else { return }
        let root = try outer.borrowed.status(of: "tree".utf8)
        try require(root.kind == .directory && root.uid == geteuid(), "the tree is another")
    }

    /// Whether the archive was unpacked; then its listing says what is there.
    private func takes(_ bytes: [UInt8], _ tree: FileDescriptor) throws -> Bool {
        func only(_ id: UInt32) -> IDMap {
            IDMap(extents: [IDMap.Extent(inside: id, outside: id, count: 1)])
        }
        let form = TreeForm(uid: only(geteuid()), gid: only(getegid()))
        var listing: ListingBuilder?
        do {
            listing = try TreeUnpacker.unpack(TarReader(MemorySource(bytes)), into: tree, form)
        } catch
            is ArchiveError, is LayerError
        { return false } catch let error as SystemError {
            // Of the clearing away of what an entry replaces.
            _ = "\(error)"
            return false
        } catch { throw Broken("an error of another type: \(error)") }
        guard let listing else { return false }
        let again = try LayerIndexer.listing(of: TarReader(MemorySource(bytes))).encoded()
        try require(try listing.encoded() == again, "listing and unpacking differ")
        let file = try anonymousFile(holding: again)
        try Listing(try MappedFile(file.borrowed)).forEach { path, entry in
            try self.check(path, entry, tree)
        }
        return true
    }

    private func check(_ path: TreePath, _ entry: ListingEntry, _ tree: FileDescriptor) throws {
        // A directory that may not be entered hides what is in it, from an ordinary user.
        let found: FileKind
        do throws(Errno) {
            let file = try tree.open(path.forSystem, [.pathOnly, .noFollow], resolve: .noLinks)
            found = try file.borrowed.status().kind
        } catch {
            let isHidden = error == .permissionDenied
            try require(isHidden, "/\(printable(path.bytes)) is listed and not there: \(error)")
            return
        }
        let expected: FileKind =
            switch entry.kind {
            case .file, .characterDevice, .blockDevice: .regular
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .fifo: .fifo
            case .whiteout: .characterDevice
            }
        try require(
            found == expected,
            "/\(printable(path.bytes)) is listed as \(entry.kind), and is a \(found)")
    }
}

extension [UInt8] {
    fileprivate func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
        guard let start = firstRange(of: old) else { return self }
        var result = self
        result.replaceSubrange(start..<start + new.count, with: new)
        return result
    }

    private func firstRange(of word: [UInt8]) -> Int? {
        indices.first { self[$0...].starts(with: word) }
    }
}
