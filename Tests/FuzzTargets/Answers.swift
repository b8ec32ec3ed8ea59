import Archive
import Layers
import Linux
import SystemPackage

extension FuzzTarget {
    /// What the process says that read an archive: were it taken over, these bytes would be the attacker's.
    static func answers() throws -> FuzzTarget {
        var listing = ListingBuilder()
        for path in ["a", "a/b", "a/c", "d"] {
            listing[TreePath(path.utf8)!] = ListingEntry(kind: path == "a" ? .directory : .file)
        }
        // Of one entry, as `ChangeSet` writes it: count, mark, path, link, device, and the numbers of a status.
        func text(_ text: String) -> [UInt8] {
            [UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8)
        }
        let change =
            [1, 0, 0, 0, 0] + text("a/b") + text("") + text("") + [UInt8](repeating: 0, count: 61)
        let seeds = [try listing.encoded(), change, [UInt8](repeating: 0, count: 8)]
        let fragments: [[UInt8]] = [
            [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0x7f], Array("../x".utf8), [0, 0x2f],
        ]
        return FuzzTarget("answers", seeds: seeds, fragments: fragments) { bytes in
            try expecting(LayerError.self) {
                let changes = try ChangeSet(decoding: bytes)
                for change in changes.changes {
                    try require(!change.path.bytes.contains(0), "a NUL in a path")
                }
                try require(
                    try ChangeSet(decoding: changes.encoded()).changes.count
                        == changes.changes.count, "another count")
            }
            try expecting(LayerError.self) { _ = try Removals(decoding: bytes) }
            try expecting(LayerError.self) { _ = try RootAttributes(decoding: bytes) }
            if bytes.isEmpty { return }
            let file = try anonymousFile(holding: bytes)
            let mapped = try MappedFile(file.borrowed)
            try expecting(LayerError.self) {
                let listing = try Listing(mapped)
                // Whatever the numbers in it say, nothing is read outside of the file, and a look ends.
                let stack = LayerStack([listing, listing])
                for path in ["", "a", "a/b/c", "zz", "d/e"] {
                    _ = stack.lookup(TreePath(path.utf8)!)
                }
                if listing.count < 1000 { listing.forEach { _, _ in } }
            }
        }
    }
}
