/// Archives to start from, header by header: each kind of entry, each of the formats, and what is at the edge of being one.
enum TarSeeds {
    static let all: [[UInt8]] = [
        archive([header("d/", "5"), file("d/a", "hello"), header("l", "2", link: "d/a")]),
        archive([file("a", "x"), header("b", "1", link: "a"), header("p", "6"), header("n", "3")]),
        archive([file(".wh.gone", ""), file("d/.wh..wh..opq", ""), file("d/x", "1")]),
        archive([pax("path=\(String(repeating: "p/", count: 80))q"), file("short", "data")]),
        archive([
            pax("size=3", "uid=70000", "mtime=1.5", "SCHILY.xattr.user.a=b"), file("f", "abc"),
        ]),
        archive([
            pax(
                "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=s",
                "GNU.sparse.realsize=1000"),
            file("s", "1\n0\n3\n" + String(repeating: "\0", count: 506) + "abc"),
        ]),
        archive([
            pax("GNU.sparse.size=9", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,3"),
            file("s", "abc"),
        ]),
        archive([long("L", String(repeating: "n/", count: 100)), file("n", "z")]),
        archive([long("K", String(repeating: "t/", count: 100)), header("k", "2", link: "t")]),
        archive([
            header("var", "2", link: "/run"), file("var/x", "v"), header("up", "2", link: "../.."),
        ]),
        archive([
            file("d", "file"), header("d", "5"), file("d/x", "y"), header("d", "2", link: "."),
        ]),
        archive([header("./", "5"), file("./a", "1"), file("/b", "2"), header("c/../x", "0")]),
        file("noend", "1"), [UInt8](repeating: 0, count: 1024),
    ]

    static let fragments: [[UInt8]] =
        [
            "../", "/", "./", ".wh.", ".wh..wh..opq", "ustar\u{0}00", "ustar  \u{0}", "\u{0}",
            "path=",
            "11 size=99\n", "30 mtime=1e400\n", "GNU.sparse.map=", "00000000000\u{0}",
            "77777777777\u{0}",
        ].bytes + [
            [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0], [0xff, 0xff, 0xff, 0xff],
            [UInt8](repeating: 0, count: 512),
        ]

    private static func archive(_ parts: [[UInt8]]) -> [UInt8] {
        parts.flatMap { $0 } + [UInt8](repeating: 0, count: 1024)
    }

    private static func file(_ name: String, _ text: String) -> [UInt8] {
        header(name, "0", size: text.utf8.count) + padded(Array(text.utf8))
    }

    private static func long(_ type: Character, _ text: String) -> [UInt8] {
        header("././@LongLink", type, size: text.utf8.count + 1) + padded(Array(text.utf8) + [0])
    }

    private static func pax(_ records: String...) -> [UInt8] {
        let data = records.flatMap { record in
            var length = record.utf8.count + 3
            while "\(length) \(record)\n".utf8.count != length { length += 1 }
            return Array("\(length) \(record)\n".utf8)
        }
        return header("PaxHeaders/x", "x", size: data.count) + padded(data)
    }

    private static func padded(_ data: [UInt8]) -> [UInt8] {
        data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    private static func header(_ name: String, _ type: Character, size: Int = 0, link: String = "")
        -> [UInt8]
    {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(String(name.prefix(100)), at: 0)
        put(octal(0o755, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(1_000_000_000, 11), at: 136)
        put(String(type), at: 156)
        put(String(link.prefix(100)), at: 157)
        put("ustar\u{0}00", at: 257)
        sum(&block, at: 0)
        return block
    }

    private static func sum(_ bytes: inout [UInt8], at start: Int) {
        for index in start + 148..<start + 156 { bytes[index] = 0x20 }
        let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
        let digits = Array(String(sum, radix: 8).utf8)
        let text = [UInt8](repeating: 0x30, count: 6 - digits.count) + digits + [0, 0x20]
        for (index, byte) in text.enumerated() { bytes[start + 148 + index] = byte }
    }

    /// The same archive with right check sums, so that what a header says is read at all.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var start = 0
        while start + 512 <= bytes.count {
            if bytes[start..<start + 512].contains(where: { $0 != 0 }) {
                sum(&bytes, at: start)
                let digits = bytes[start + 124..<start + 135].prefix { (0x30...0x37).contains($0) }
                let size = digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }
                start += min((size + 511) / 512 * 512, bytes.count)
            }
            start += 512
        }
        return bytes
    }
}
