import Archive
import Testing

@Suite struct `A tar we wrote` {
    @Test func `reads back as it was`() throws {
        for seed in UInt64(1)...300 {
            var noise = Noise(seed)
            let written = (0..<12).map { _ in randomEntry(&noise) }
            let read = try entries(of: tar(written))
            try #require(read.count == written.count)
            for (index, (got, expected)) in zip(read, written).enumerated() {
                #expect(got.entry == expected.entry, "seed \(seed), entry \(index)")
                #expect(got.data == expected.data)
            }
        }
    }

    @Test func `keeps every size around the limits of its fields`() throws {
        for length in Array(90...110) + Array(145...165) + Array(245...262) + [1000, 4095, 4096] {
            for name in paths(length) {
                let read = try entries(of: tar([file(name)]))
                #expect(read.map(\.entry.path) == [name])
            }
        }
    }

    /// Paths of `length` bytes with slashes at various places.
    private func paths(_ length: Int) -> [[UInt8]] {
        [20, 99, 100, 101, 155, 156, 200, 254].map { component in
            var path = (0..<length).map { index in
                index % (component + 1) == component ? UInt8(ascii: "/") : UInt8(ascii: "n")
            }
            path[length - 1] = UInt8(ascii: "e")
            return path
        }
    }

    private func randomEntry(_ noise: inout Noise) -> (entry: TarEntry, data: [UInt8]) {
        let kinds: [TarEntry.Kind] = [
            .file, .file, .file, .directory, .symlink, .hardLink, .characterDevice,
            .blockDevice, .fifo,
        ]
        var entry = TarEntry(path: name(&noise), kind: kinds.randomElement(using: &noise)!)
        var data: [UInt8] = []
        switch entry.kind {
        case .file:
            data = noise.text([0, 1, 511, 512, 513, 2000].randomElement(using: &noise)!)
            entry.size = Int64(data.count)
        case .symlink, .hardLink: entry.linkTarget = name(&noise)
        case .characterDevice, .blockDevice:
            entry.major = UInt32.random(in: 0..<4096, using: &noise)
            entry.minor = UInt32.random(in: 0..<1 << 20, using: &noise)
        default: break
        }
        entry.mode = UInt16.random(in: 0...0o7777, using: &noise)
        entry.uid = number(&noise)
        entry.gid = number(&noise)
        entry.modified.seconds =
            [0, 1_700_000_000, -5, 1 << 33, 1 << 40].randomElement(using: &noise)!
        for index in 0..<[0, 0, 0, 1, 3].randomElement(using: &noise)! {
            let xattr = TarEntry.Xattr(
                name: Array("user.\(index)".utf8),
                value: noise.text(Int.random(in: 0..<600, using: &noise)) + [0, 0xff, 0x0a, 0x3d])
            entry.xattrs.append(xattr)
        }
        return (entry, data)
    }

    private func number(_ noise: inout Noise) -> UInt32 {
        [0, 1000, 2_097_151, 2_097_152, .max - 1].randomElement(using: &noise)!
    }

    private func name(_ noise: inout Noise) -> [UInt8] {
        let alphabets: [[UInt8]] = [
            Array("abc".utf8), Array(UInt8(1)...0x2e), [0xff, 0xfe, 0x80], Array("é日".utf8),
        ]
        let alphabet = alphabets.randomElement(using: &noise)!
        let parts = [1, 2, 3, 10, 16].randomElement(using: &noise)!
        let longest = [3, 60, 99, 255].randomElement(using: &noise)!
        var path: [UInt8] = []
        for part in 0..<parts {
            if part > 0 { path.append(UInt8(ascii: "/")) }
            for _ in 0..<Int.random(in: 1...longest, using: &noise) {
                path.append(alphabet.randomElement(using: &noise)!)
            }
        }
        return Array(path.prefix(4096))
    }
}
