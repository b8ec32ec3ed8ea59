import Archive
import Build
import Glibc
import Layers
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct `A listing made without unpacking` {
    /// Layers of which each has a rule of its own. All belong to whoever runs the tests, who needs no namespace then.
    @Test(arguments: [
        [Entry.directory("."), .directory("d", mode: 0o700), .file("d/f", "12", mode: 0o4711)],
        [.file("a/b/c", "unnamed directories"), .symlink("l", to: "a"), .file("l/x", "by a link")],
        [.symlink("l", to: "a"), .hardLink("m", to: "l"), .directory("a"), .file("m/x")],
        [.file("a", "x"), .hardLink("b", to: "a"), .hardLink("c", to: "b"), .file("a", "new")],
        [.whiteout("d/.wh.x"), .whiteout(".wh.y"), .whiteout("e/.wh..wh..opq"), .file("e/f")],
        [.file("x"), .whiteout(".wh.x"), .directory("y"), .whiteout(".wh.y"), .file("y/in")],
        [.whiteout(".wh.x"), .directory("x"), .file("x/in"), .whiteout(".wh..wh.aufs")],
        [.directory("x"), .file("x/in"), .file("x", "replaces it")],
        [.file("x"), .directory("x"), .directory("x", mode: 0o711)],
        [.special("pipe", .fifo, mode: 0o640), .directory("/abs/./dir/")],
    ])
    func `is the one that unpacking gives`(entries: [Entry]) throws {
        let maker = try ImageMaker()
        let own = entries.map { $0.owned(by: geteuid(), getegid()) }
        let image = try maker.image([own])
        try ImageExporter(store: maker.store).export(
            image, to: ImageOutput(kind: .tar, destination: .path("/dev/null"), isTar: true))
        let made = try #require(try maker.store.listing(image.layers[0].diffID))
        #expect(try unpacked(own, in: maker.scratch) == Array(made.digestedParts.digest))
    }

    /// The digest at the end of the listing that unpacking makes.
    private func unpacked(_ entries: [Entry], in scratch: Scratch) throws -> [UInt8] {
        let sink = MemorySink()
        let tar = TarWriter(to: sink)
        for entry in entries { try entry.write(to: tar) }
        try tar.finish()
        try FileDescriptor.workingDirectory.makeDirectory(scratch["tree"].utf8, mode: 0o755)
        let root = try FileDescriptor.workingDirectory.open(
            scratch["tree"], [.readOnly, .directory], resolve: .system)
        func only(_ id: UInt32) -> IDMap {
            IDMap(extents: [IDMap.Extent(inside: id, outside: id, count: 1)])
        }
        let listing = try TreeUnpacker.unpack(
            TarReader(MemorySource(sink.bytes)), into: root.borrowed,
            TreeForm(uid: only(geteuid()), gid: only(getegid())))
        return Array(try listing.encoded().suffix(32))
    }
}
