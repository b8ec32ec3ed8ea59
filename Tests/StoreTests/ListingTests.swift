import Layers
import OCI
import Store
import Testing

@Suite struct `A listing in the store` {
    let scratch = Scratch()
    let diffID = digest(of: "tar")

    private func bytes() throws -> [UInt8] {
        var builder = ListingBuilder()
        builder[.root] = ListingEntry(kind: .directory, permissions: 0o755)
        builder[TreePath("a/b".utf8)!] = ListingEntry(kind: .file, permissions: 0o644, size: 3)
        return try builder.encoded()
    }

    @Test func `is found by the layer's diff ID`() throws {
        let store = try scratch.store()
        #expect(try store.listing(diffID) == nil)
        let kept = try store.keepListing(try bytes(), of: diffID)
        #expect(kept.count == 2)
        let found = try #require(try scratch.store().listing(diffID))
        #expect(found.entry(at: TreePath("a/b".utf8)!)?.size == 3)
        #expect(found.entry(at: TreePath("a".utf8)!) == nil)
        #expect(try store.allListings() == [diffID])
        try store.removeListing(diffID)
        #expect(try store.listing(diffID) == nil)
    }

    @Test func `that was cut is an error, never a trap`() throws {
        let store = try scratch.store()
        let whole = try bytes()
        for length in 0..<44 {
            let text = String(decoding: whole.prefix(length).map { $0 & 0x7f }, as: UTF8.self)
            try scratch.write(text, to: "listings/\(diffID.hex)")
            #expect(throws: LayerError.self) { try store.listing(diffID) }
        }
    }
}
