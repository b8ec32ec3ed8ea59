import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: the format of a layer` {
    /// vfs_cap_data: magic and flags, permitted, inheritable, and for revision 3 the root id; capability.h.
    private static func capability(_ magic: UInt32, root: UInt32? = nil, words: Int = 4) -> [UInt8]
    {
        let values = [magic, 1 << 13, 0, 0, 0].prefix(words + 1) + (root.map { [$0] } ?? [])
        return values.flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
    }

    @Test func `T09 file capabilities leave as version 2 or not at all`() throws {
        try attack("T09") { scene in
            let good = Self.capability(0x0200_0001)
            let made = try scene.copied(
                RawImage { tar in
                    tar.pax([("SCHILY.xattr.security.capability", good)])
                    tar.file("two")
                })
            let value = made.entry("two")?.attributes["security.capability"]
            #expect(value.map { Array(InspectedImage.decodedBytes($0)) } == good)
            // Of the namespace's root: the same in version 2. Also where an ADD takes it, without any file.
            let three = RawTar.make { tar in
                tar.pax([
                    ("SCHILY.xattr.security.capability", Self.capability(0x0300_0001, root: 0))
                ])
                tar.file("three")
            }
            let context = try BuildFolder("")
            try Data(three).write(to: URL(filePath: context.path + "/three.tar"))
            let added = try scene.files("FROM scratch\nADD three.tar /\n", in: context)
            for layer in [try scene.copied(RawImage([three])), try scene.onlyLayer(added)] {
                let value = layer.entry("three")?.attributes["security.capability"]
                #expect(value.map { Array(InspectedImage.decodedBytes($0)) } == good)
            }
            for bad in [
                Self.capability(0x0200_0001, words: 2), Self.capability(0x0900_0001), [1, 2, 3],
                Self.capability(0x0100_0001, words: 2), Self.capability(0x0200_0003),
                Self.capability(0x0300_0001, root: 1000), Self.capability(0x0300_0001, root: .max),
            ] {
                let image = RawImage { tar in
                    tar.pax([("SCHILY.xattr.security.capability", bad)])
                    tar.file("bad-capability")
                }
                let outcome = try scene.unpack(image)
                #expect(!outcome.isSuccess, "\(outcome)")
                #expect(outcome.error.contains("bad-capability"), "\(outcome)")
                #expect(outcome.status == 65)
            }
        }
    }

    static let sparse = [
        Hostile("descending") { tar, _ in
            tar.pax([
                ("GNU.sparse.size", Array("100".utf8)), ("GNU.sparse.numblocks", Array("2".utf8)),
                ("GNU.sparse.map", Array("50,1,0,1".utf8)),
            ])
            tar.file("s", "ab")
        },
        Hostile("overlapping") { tar, _ in
            tar.pax([
                ("GNU.sparse.size", Array("100".utf8)), ("GNU.sparse.numblocks", Array("2".utf8)),
                ("GNU.sparse.map", Array("0,2,1,2".utf8)),
            ])
            tar.file("s", "abcd")
        },
        Hostile("sum beyond all numbers") { tar, _ in
            tar.pax([
                ("GNU.sparse.size", Array("9223372036854775807".utf8)),
                ("GNU.sparse.numblocks", Array("1".utf8)),
                ("GNU.sparse.map", Array("9223372036854775807,9223372036854775807".utf8)),
            ])
            tar.file("s", "ab")
        },
        Hostile("negative") { tar, _ in
            tar.pax([
                ("GNU.sparse.size", Array("-1".utf8)), ("GNU.sparse.numblocks", Array("1".utf8)),
                ("GNU.sparse.map", Array("-5,2".utf8)),
            ])
            tar.file("s", "ab")
        },
        Hostile("ten million regions announced") { tar, _ in
            tar.pax([
                ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
                ("GNU.sparse.name", Array("s".utf8)), ("GNU.sparse.realsize", Array("100".utf8)),
            ])
            tar.file("s", "10000000\n0\n1\n")
        },
        Hostile("map longer than the data") { tar, _ in
            tar.pax([
                ("GNU.sparse.size", Array("1000".utf8)), ("GNU.sparse.numblocks", Array("1".utf8)),
                ("GNU.sparse.map", Array("0,900".utf8)),
            ])
            tar.file("s", "ab")
        },
        Hostile("old GNU, overlapping") { tar, _ in
            var header = RawTar.Header("s", "S")
            header.magic = Array("ustar  \u{0}".utf8)
            header.size = 4
            header.over = [
                (386, RawTar.octal(0, 12)), (398, RawTar.octal(2, 12)),
                (410, RawTar.octal(1, 12)), (422, RawTar.octal(2, 12)),
                (483, RawTar.octal(100, 12)),
            ]
            tar.add(header, Array("abcd".utf8))
        },
    ]

    @Test(arguments: sparse)
    func `T10 a sparse map that lies is refused`(hostile: Hostile) throws {
        try refuse("T10", hostile)
    }

    static let longNames = [
        Hostile("a terabyte of name") { tar, _ in
            var header = RawTar.Header("././@LongLink", "L")
            header.over = [(124, [0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])]
            tar.add(header)
        },
        Hostile("a chain of names") { tar, _ in
            for _ in 0..<1000 { tar.long(Array("a".utf8)) }
            tar.file("x")
        },
        Hostile("a name and no file") { tar, _ in
            tar.long(Array("a".utf8))
            tar.long(Array("b".utf8), type: "K")
        },
        Hostile("a megabyte of name") { tar, _ in
            tar.long([UInt8](repeating: 0x61, count: 1 << 20))
            tar.file("x")
        },
    ]

    @Test(arguments: longNames)
    func `T11 long names without an end are refused`(hostile: Hostile) throws {
        try refuse("T11", hostile)
    }

    @Test func `T11 PAX goes before GNU, and GNU before the header`() throws {
        try attack("T11-twin") { scene in
            let made = try scene.copied(
                RawImage { tar in
                    tar.long(Array("gnu1".utf8))
                    tar.file("header1")
                    tar.long(Array("gnu2".utf8))
                    tar.pax([("path", Array("pax2".utf8))])
                    tar.file("header2")
                    // Without a NUL at its end.
                    var header = RawTar.Header("././@LongLink", "L")
                    header.size = 4
                    tar.add(header, Array("gnu3".utf8))
                    tar.file("header3")
                })
            #expect(Set(made.entries.map(\.name)) == ["gnu1", "pax2", "gnu3"])
        }
    }

    private static func pax(_ name: String, _ data: [UInt8], type: Character = "x") -> Hostile {
        Hostile(name) { tar, _ in
            tar.pax(data: data, type: type)
            tar.file("x")
        }
    }

    private static func pax(_ key: String, _ value: String, type: Character = "x") -> Hostile {
        pax("\(key)=\(value)", RawTar.record(key, Array(value.utf8)), type: type)
    }

    static let paxLies = [
        Hostile("10 GiB") { tar, _ in
            var header = RawTar.Header("PaxHeaders/x", "x")
            header.over = [(124, RawTar.octal(10 << 30, 12))]
            tar.add(header)
        },
        pax("a million records", Array(String(repeating: "6 a=b\n", count: 1_000_000).utf8)),
        pax("a length of 30 digits", Array("000000000000000000000000000009 a=b\n".utf8)),
        pax("a length past the end", Array("99 a=b\n".utf8)),
        pax("a length of nothing", Array("0 a=b\n".utf8)),
        pax("a NUL in the path", RawTar.record("path", Array("a\u{0}b".utf8))),
        pax("a NUL in the link", RawTar.record("linkpath", Array("a\u{0}b".utf8))),
        pax("size", "-1"), pax("size", "1.5"), pax("size", "99999999999999999999"),
        pax("mtime", "nan"), pax("mtime", "1e400"), pax("uid", "-1"), pax("uid", "4294967295"),
        pax("path", "g-path", type: "g"), pax("size", "0", type: "g"),
        pax("linkpath", "g-link", type: "g"),
    ]

    @Test(arguments: paxLies)
    func `T12 a PAX header that lies is refused`(hostile: Hostile) throws {
        try refuse("T12", hostile)
    }

    /// POSIX pax: "the last record takes precedence"; GNU tar and bsdtar do so, too.
    @Test func `T12 of two records of a name the last counts`() throws {
        try attack("T12-twice") { scene in
            let made = try scene.copied(
                RawImage { tar in
                    tar.pax([("path", Array("a".utf8)), ("path", Array("b".utf8))])
                    tar.file("x")
                })
            #expect(made.entries.map(\.name) == ["b"])
        }
    }

    private static let smuggled: [Hostile] = [
        Hostile("a check sum that is wrong") { tar, _ in
            var header = RawTar.Header("x")
            header.error = 1
            tar.add(header)
        },
        Hostile("an unknown type of entry with data") { tar, _ in
            var header = RawTar.Header("x", "Q")
            header.size = 5
            tar.add(header, Array("12345".utf8))
        },
        Hostile("a link with a size") { tar, _ in
            var header = RawTar.Header("l", "2")
            header.link = Array("x".utf8)
            header.size = 512
            tar.add(header, RawTar.Header("inner").block)
        },
    ]

    @Test(arguments: smuggled)
    func `T13 what readers disagree about is refused, or read as they do`(hostile: Hostile) throws {
        try attack("T13") { scene in
            let bytes = RawTar.make { hostile.write(&$0, scene.canary) }
            let outcome = try scene.unpack(RawImage([bytes]))
            if outcome.status == 65 { return }
            try outcome.required()
            try Self.compare(scene, bytes)
        }
    }

    /// CVE-2025-62518: the header says 0 bytes, PAX says how many there are, and these are an archive.
    @Test func `T13 an archive in a file's data stays data`() throws {
        try attack("T13-size") { scene in
            let inner = RawTar.make { $0.file("inner") }
            let bytes = RawTar.make { tar in
                tar.pax([("size", Array("\(inner.count)".utf8))])
                tar.add(RawTar.Header("outer"), inner)
                tar.file("last")
            }
            let made = try scene.copied(RawImage([bytes]))
            #expect(Set(made.entries.map(\.name)) == ["outer", "last"])
            #expect(made.entry("outer")?.size == inner.count)
            try Self.compare(scene, bytes)
        }
    }

    /// GNU tar reads the same names.
    private static func compare(_ scene: Scene, _ bytes: [UInt8]) throws {
        let files = try TemporaryDirectory()
        let path = try files.write("a.tar", bytes)
        let theirs = try Command(["tar", "-tf", path]).run().text.split(separator: "\n").map(
            String.init)
        let ours = try scene.copied(RawImage([bytes])).entries.map(\.name)
        #expect(Set(ours) == Set(theirs))
    }

    /// Names that text handling changes: as bytes, all different.
    static let strangeNames: [[UInt8]] = [
        Array("line\nfeed".utf8), Array("tab\tbed".utf8), Array("\u{1b}[31mred".utf8),
        [0xff, 0xfe],
        [0xc0, 0xaf], [0xed, 0xa0, 0x80], Array("right\u{202e}left".utf8),
        [UInt8](repeating: 0x6e, count: 255), Array("-rf".utf8), Array("--chown=0".utf8),
        Array("*?[".utf8), Array("back\\slash".utf8), Array("space ".utf8), Array(" space".utf8),
        Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8), Array("a\r\nb".utf8),
    ]

    @Test func `T14 names are bytes from end to end`() throws {
        try attack("T14") { scene in
            let made = try scene.copied(
                RawImage { tar in
                    for (number, name) in Self.strangeNames.enumerated() {
                        tar.pax([("path", Array("d/".utf8) + name)])
                        tar.file("x", "\(number)")
                    }
                })
            for (number, name) in Self.strangeNames.enumerated() {
                let found = made.entries.first {
                    InspectedImage.decodedBytes($0.name) == Array("d/".utf8) + name
                }
                #expect(found?.content == "\(number)", "\(name)")
            }
        }
    }

    @Test func `T14 a name in a refusal is escaped`() throws {
        try attack("T14-shown") { scene in
            let image = RawImage { $0.file("\u{1b}]52;c;x\u{7}/../pwn") }
            scene.expectRefusal(try scene.unpack(image), ["Dockerfile:2"])
        }
    }

    @Test(arguments: [
        Hostile("a component of 256 bytes") { tar, _ in
            tar.pax([("path", [UInt8](repeating: 0x61, count: 256))])
            tar.file("x")
        },
        Hostile("a path of 5000 bytes") { tar, _ in
            tar.pax([("path", [UInt8](repeatElement("abcd/", count: 1000).joined().utf8))])
            tar.file("x")
        },
    ])
    func `T15 a name that no system has is refused`(hostile: Hostile) throws {
        try refuse("T15", hostile)
    }

    @Test func `T15 directories within directories can be removed`() throws {
        try attack("T15-deep") { scene in
            // LayersTests has the time that deeper ones take.
            let path = [UInt8](repeatElement("d/", count: 1000).joined().utf8)
            let image = RawImage { tar in
                tar.pax([("path", path)])
                tar.directory("x")
            }
            try scene.unpack(image).required()
            try scene.lichen.run(["prune", "--all"]).required()
            let left = try Command(["find", scene.lichen.store + "/trees", "-mindepth", "2"]).run()
            #expect(left.text.isEmpty)
        }
    }

    @Test func `T16 an archive behind the end is not unpacked`() throws {
        try attack("T16") { scene in
            let bytes =
                RawTar.make { $0.file("first") } + RawTar.make { $0.file("pwn-second") }
            let made = try scene.copied(RawImage([bytes]))
            #expect(made.entries.map(\.name) == ["first"])
        }
    }

    private static func number(_ name: String, at offset: Int, _ bytes: [UInt8]) -> Hostile {
        Hostile(name) { tar, _ in
            var header = RawTar.Header("x")
            header.over = [(offset, bytes)]
            tar.add(header)
        }
    }

    private static let numbers = [
        number(
            "an id that chown takes for none", at: 108, [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        number("an id of 33 bits", at: 108, [0x80, 0, 0, 1, 0, 0, 0, 0]),
        number("an id below zero", at: 116, [UInt8](repeating: 0xff, count: 8)),
        number("a size below zero", at: 124, [UInt8](repeating: 0xff, count: 12)),
        number("digits that are none", at: 100, Array("00x0644\u{0}".utf8)),
        number("a time after all time", at: 136, [0x80] + [UInt8](repeating: 0xff, count: 11)),
    ]

    @Test(arguments: numbers)
    func `T21 a number that nothing can have is refused`(hostile: Hostile) throws {
        try refuse("T21", hostile)
    }

    @Test func `T17 T19 packed in several pieces, a layer is the same`() throws {
        try attack("T17-twin") { scene in
            let whole = RawTar.make { $0.file("one", "text") }
            let files = try TemporaryDirectory()
            try files.write("a", whole[..<700])
            try files.write("b", whole[700...])
            for (program, suffix) in [("gzip", "+gzip"), ("zstd", "+zstd")] {
                let script = "for f in a b; do \(program) -q -c $f; done > packed.\(program)"
                var command = Command(["sh", "-euc", script])
                command.directory = files.path
                try command.run().required()
                var image = RawImage([whole])
                image.layers[0].diffID = try RawImage.digests(of: [whole])[0]
                image.layers[0].bytes = try files.read("packed.\(program)")
                image.layers[0].mediaType += suffix
                #expect(try scene.copied(image).entry("one")?.content == "text")
            }
        }
    }

    private func refuse(_ id: String, _ hostile: Hostile) throws {
        try attack(id) { scene in
            let outcome = try scene.unpack(RawImage { hostile.write(&$0, scene.canary) })
            scene.expectRefusal(outcome, ["Dockerfile:2"])
            #expect(outcome.processorTime < .seconds(10))
        }
    }
}

extension InspectedImage {
    /// The bytes of a name or a value that was percent-encoded.
    static func decodedBytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
