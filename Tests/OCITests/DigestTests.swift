import OCI
import Testing

@Suite struct `A digest` {
    let hex = "0123456789abcdef" + String(repeating: "0f", count: 24)

    @Test func `is read and written in the same letters`() throws {
        let digest = try #require(Digest("sha256:" + hex))
        #expect(digest.description == "sha256:" + hex)
        #expect(digest.hex == hex)
        #expect(Digest(sha256: digest.bytes) == digest)
        #expect(Digest(hex: hex) == digest)
    }

    @Test(arguments: [
        "", "sha256:", "sha256:00", "sha512:" + String(repeating: "0", count: 64),
        "SHA256:" + String(repeating: "0", count: 64),
        "sha256:" + String(repeating: "A", count: 64),
        "sha256:" + String(repeating: "0", count: 63),
        "sha256:" + String(repeating: "0", count: 65),
        "sha256:" + String(repeating: "0", count: 62) + "é",
        " sha256:" + String(repeating: "0", count: 63), String(repeating: "0", count: 64),
    ])
    func `is refused in any other form`(text: String) {
        #expect(Digest(text) == nil)
    }

    @Test func `sorts as its text does`() {
        let digests = (0..<50).map { seed in
            Digest(sha256: (0..<32).map { UInt8(truncatingIfNeeded: ($0 + 7) * (seed + 3) * 37) })
        }
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
    }
}
