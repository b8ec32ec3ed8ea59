import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct `A blob` {
    let scratch = Scratch()

    @Test func `is there under its digest once it is kept, and not before`() throws {
        let store = try scratch.store()
        let digest = digest(of: "content")
        let blob = try store.newBlob()
        try blob.file.borrowed.writeFully(Array("content".utf8))
        #expect(try store.size(ofBlob: digest) == nil)
        #expect(try store.document(digest) == nil)
        try blob.keep(as: digest)
        #expect(try store.size(ofBlob: digest) == 7)
        #expect(try store.document(digest) == Array("content".utf8))
        #expect(try store.allBlobs().map(\.digest) == [digest])
        #expect(try scratch.names("work") == [])
    }

    @Test func `that is not kept leaves nothing behind`() throws {
        let store = try scratch.store()
        do {
            let blob = try store.newBlob()
            try blob.file.borrowed.writeFully([1, 2, 3])
        }
        #expect(try scratch.names("work") == [])
        #expect(try scratch.names("blobs/sha256") == [])
    }

    @Test func `is read by every opener from its start`() throws {
        let store = try scratch.store()
        try store.keepBlob("content")
        for _ in 0..<2 {
            guard let file = try store.blob(digest(of: "content")) else {
                Issue.record("the blob is gone")
                return
            }
            #expect(try file.borrowed.readAll(limit: 100) == Array("content".utf8))
        }
    }

    @Test func `goes when it is removed, and removing it again is no error`() throws {
        let store = try scratch.store()
        try store.keepBlob("content")
        try store.removeBlob(digest(of: "content"))
        try store.removeBlob(digest(of: "content"))
        #expect(try store.size(ofBlob: digest(of: "content")) == nil)
    }

    @Test func `that is too long for a document is not read`() throws {
        let store = try scratch.store()
        try store.keepBlob("content")
        #expect(throws: StoreError.self) {
            try store.document(digest(of: "content"), limit: 3)
        }
    }
}

@Suite struct `A step record` {
    let scratch = Scratch()
    let key = digest(of: "key")

    @Test func `comes back as it was kept`() throws {
        let store = try scratch.store()
        try store.keepBlob("layer")
        let record = StepRecord(
            layer: LayerRecord(diffID: digest(of: "tar"), blob: descriptor(of: "layer")),
            compressor: "libdeflate 1.14 6",
            basis: Digest(sha256: [UInt8](repeating: 1, count: 32)),
            created: Timestamp(secondsSinceEpoch: 7))
        try store.keepStep(key, record)
        #expect(try store.step(key) == record)
        #expect(try scratch.store().step(key) == record)
        let empty = StepRecord(
            layer: nil, compressor: nil, basis: Digest(sha256: [UInt8](repeating: 1, count: 32)),
            created: Timestamp(secondsSinceEpoch: 8))
        try store.keepStep(key, empty)
        #expect(try store.step(key) == empty)
        #expect(try store.allSteps().map(\.key) == [key])
    }

    @Test func `without its layer is none`() throws {
        let store = try scratch.store()
        try store.keepStep(
            key,
            StepRecord(
                layer: LayerRecord(diffID: digest(of: "tar"), blob: descriptor(of: "layer")),
                compressor: nil, basis: Digest(sha256: [UInt8](repeating: 1, count: 32)),
                created: Timestamp(secondsSinceEpoch: 9)))
        #expect(try store.step(key) == nil)
    }

    @Test(arguments: ["", "{}x", "[1]", #"{"layer":{"diffID":"md5:1"}}"#])
    func `that can't be read is none`(text: String) throws {
        let store = try scratch.store()
        try scratch.write(text, to: "steps/\(key.hex)")
        #expect(try store.step(key) == nil)
    }
}
