import OCI
import Testing

@Suite struct `A platform` {
    @Test(arguments: [
        ("linux/amd64", "linux/amd64"), ("Linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"), ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"), ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"), ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"), ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"), ("linux/i686", "linux/386"), ("arm64", "linux/arm64"),
        ("linux", "\(Platform.host)"), ("windows/amd64", "windows/amd64"),
    ])
    func `is read in every usual spelling`(text: String, expected: String) throws {
        #expect(try Platform(parsing: text).description == expected)
    }

    @Test(arguments: ["", "/", "linux/", "linux/amd64/v1/x", "z80", "linux/a b", "linux/é"])
    func `is refused where nobody could mean one`(text: String) {
        #expect(throws: PlatformError.self) { try Platform(parsing: text) }
    }

    private func index(_ platforms: String?...) -> Index {
        Index(
            manifests: platforms.enumerated().map { number, text in
                let parts = text?.split(separator: "/").map(String.init)
                return Descriptor(
                    mediaType: .manifest,
                    digest: Digest(sha256: Array(repeating: UInt8(number), count: 32)),
                    size: Int64(number),
                    platform: parts.map {
                        Platform(
                            os: $0[0], architecture: $0[1], variant: $0.count > 2 ? $0[2] : "")
                    })
            })
    }

    private func chosen(_ wanted: String, _ platforms: String?...) throws -> Int64? {
        var index = index()
        index.manifests = platforms.flatMap { self.index($0).manifests }
        for number in index.manifests.indices { index.manifests[number].size = Int64(number) }
        return index.descriptor(for: try Platform(parsing: wanted))?.size
    }

    @Test func `chooses its own manifest of an index`() throws {
        #expect(try chosen("linux/amd64", "linux/arm64", "linux/amd64", "linux/amd64") == 1)
        #expect(try chosen("linux/arm64", "linux/arm64/v8", "linux/amd64") == 0)
        #expect(try chosen("linux/amd64", "linux/x86_64") == 0)
    }

    @Test func `takes a lower variant, the nearest first, and never a higher one`() throws {
        #expect(try chosen("linux/arm/v7", "linux/arm/v5", "linux/arm/v6", "linux/arm/v8") == 1)
        #expect(try chosen("linux/amd64/v3", "linux/amd64", "linux/amd64/v2") == 1)
        #expect(try chosen("linux/amd64", "linux/amd64/v2") == nil)
        #expect(try chosen("linux/arm/v6", "linux/arm/v7") == nil)
    }

    @Test func `takes no other architecture and no attestation`() throws {
        #expect(try chosen("linux/amd64", "linux/386", "unknown/unknown") == nil)
        #expect(try chosen("linux/arm64", "linux/arm/v7") == nil)
    }

    @Test func `takes the only manifest without a platform`() throws {
        #expect(try chosen("linux/amd64", nil) == 0)
        #expect(try chosen("linux/amd64", nil, nil) == nil)
    }
}
