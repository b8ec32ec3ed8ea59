import Archive
import Testing

@Suite struct `A tar reader` {
    private let raw: [UInt8] = [0x72, 0xff, 0xfe, 0x77]

    @Test func `leaves names as the bytes they are`() throws {
        let decomposed = Array("cafe\u{301}".utf8)
        let composed = Array("caf\u{e9}".utf8)
        let found = try read { tar in
            tar.header("") { $0.replaceSubrange(0..<4, with: raw) }
            tar.long(raw + [UInt8](repeating: 122, count: 100) + [0], type: "L")
            tar.header()
            for name in [raw, decomposed, composed, [0xc0, 0xaf], [0xed, 0xa0, 0x80]] {
                tar.pax([("path", name)])
                tar.header()
            }
        }
        #expect(
            found.map(\.entry.path) == [
                raw, raw + [UInt8](repeating: 122, count: 100), raw, decomposed, composed,
                [0xc0, 0xaf], [0xed, 0xa0, 0x80],
            ])
    }

    @Test func `prefers PAX to GNU names, and these to the header`() throws {
        let found = try read { tar in
            tar.long(Array("long\0".utf8), type: "L")
            tar.header()
            tar.long(Array("long\0".utf8), type: "L")
            tar.pax([("path", "pax")])
            tar.header()
            tar.pax([("path", "one"), ("path", "two")])
            tar.header()
            tar.pax([("path", "")])
            tar.header()
            tar.long(Array("target\0".utf8), type: "K")
            tar.header(type: "2")
        }
        #expect(
            found.map { String(decoding: $0.entry.path, as: UTF8.self) } == [
                "long", "pax", "two", "x", "x",
            ])
        #expect(found.last?.entry.linkTarget == Array("target".utf8))
    }

    @Test func `takes the size of PAX for the data, so that none is taken for an entry`() throws {
        var inner = RawTar()
        inner.header("smuggled")
        let found = try read { tar in
            tar.pax([("size", "512")])
            tar.header(size: 0)
            tar.data(inner.bytes)
            tar.header("after")
        }
        #expect(found.map { String(decoding: $0.entry.path, as: UTF8.self) } == ["x", "after"])
        #expect(found.first?.data == inner.bytes)
    }

    @Test func `reads numbers in base 256 and with signed sums`() throws {
        let found = try read { tar in
            tar.header {
                $0.replaceSubrange(108..<116, with: [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff])
                $0.replaceSubrange(136..<148, with: [UInt8](repeating: 0xff, count: 12))
            }
        }
        #expect(found.first?.entry.uid == 0x7fff_ffff)
        #expect(found.first?.entry.modified == TarEntry.Time(seconds: -1))
    }

    @Test(arguments: [
        ("1.5", 1, 500_000_000), ("-0.25", -1, 750_000_000), ("12.1234567899", 12, 123_456_789),
        ("-3", -3, 0), ("7.", 7, 0),
    ])
    func `reads times with fractions`(text: String, seconds: Int64, nanoseconds: UInt32) throws {
        let found = try read { tar in
            tar.pax([("mtime", text)])
            tar.header()
        }
        #expect(
            found.first?.entry.modified
                == TarEntry.Time(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test func `takes a comment of git for all entries, and nothing that changes them`() throws {
        let found = try read { tar in
            tar.pax([("comment", "0123456789")], type: "g")
            tar.header()
        }
        #expect(found.count == 1)
        for key in ["path", "linkpath", "size", "uid", "mtime", "SCHILY.xattr.user.a"] {
            #expect(
                refusal {
                    $0.pax([(key, "1")], type: "g")
                    $0.header()
                } == .unsupported("a global PAX header that changes entries"))
        }
    }

    @Test func `reads the rest of the stream, and none of it as entries`() throws {
        var tar = RawTar()
        tar.header("first")
        tar.end()
        tar.header("second")
        tar.end()
        let source = HashingSource(MemorySource(tar.bytes))
        let reader = TarReader(source)
        #expect(try reader.next()?.path == Array("first".utf8))
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
        #expect(source.count == Int64(tar.bytes.count))
    }

    @Test func `ends without an end mark, but not inside an entry`() throws {
        var tar = RawTar()
        tar.header("x", size: 600)
        tar.data([UInt8](repeating: 1, count: 600))
        #expect(try entries(of: tar.bytes).count == 1)
        // Its padding may be missing: writers that end so are read by others, too.
        for count in [1112, 1113, 1535] {
            #expect(try entries(of: Array(tar.bytes.prefix(count))).count == 1, "\(count) bytes")
        }
        for count in [1, 511, 512, 513, 1023, 1024, 1111] {
            #expect(
                problem { _ = try entries(of: Array(tar.bytes.prefix(count))) } == .truncated,
                "\(count) bytes")
        }
        #expect(try entries(of: []).isEmpty)
    }

    @Test func `keeps POSIX ACLs that come as xattrs, and all their bytes`() throws {
        let acl: [UInt8] = [2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 10, 0x3d]
        let found = try read { tar in
            tar.pax([("SCHILY.xattr.system.posix_acl_access", acl), ("SCHILY.xattr.user.e", [])])
            tar.header()
        }
        #expect(
            found.first?.entry.xattrs == [
                TarEntry.Xattr(name: Array("system.posix_acl_access".utf8), value: acl),
                TarEntry.Xattr(name: Array("user.e".utf8), value: []),
            ])
    }

    /// Damage with a fixed seed: every outcome is entries or a typed error.
    @Test func `never traps or hangs on damaged bytes`() throws {
        var tar = RawTar()
        tar.long(Array("long\0".utf8), type: "L")
        tar.header(size: 100)
        tar.data([UInt8](repeating: 7, count: 100))
        tar.pax([("path", "p"), ("size", "3"), ("mtime", "1.5"), ("SCHILY.xattr.user.a", "v")])
        tar.header()
        tar.data([1, 2, 3])
        tar.pax([
            ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"),
            ("GNU.sparse.realsize", "5000"),
        ])
        tar.header(size: 515)
        tar.data(Array("1\n4096\n3\n".utf8) + [UInt8](repeating: 0, count: 503) + [1, 2, 3])
        tar.end()
        #expect(try entries(of: tar.bytes).count == 3)
        var noise = Noise(17)
        for _ in 0..<1500 {
            var bytes = tar.bytes
            for _ in 0..<Int.random(in: 1...3, using: &noise) {
                let index = Int.random(in: 0..<bytes.count, using: &noise)
                bytes[index] = UInt8.random(in: .min ... .max, using: &noise)
                mendChecksum(&bytes, block: index / 512)
            }
            do { _ = try entries(of: bytes) } catch { #expect(error is ArchiveError) }
        }
    }

    /// Lets damage to a header reach what lies behind the check sum.
    private func mendChecksum(_ bytes: inout [UInt8], block: Int) {
        let start = block * 512
        guard start + 512 <= bytes.count, bytes[start + 257] == UInt8(ascii: "u") else { return }
        for index in 148..<156 { bytes[start + index] = 0x20 }
        let sum = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
        for (index, digit) in sum.utf8.enumerated() { bytes[start + 148 + index] = digit }
    }
}
