import FoundationEssentials
import TestSupport
import Testing

/// A hostile archive with a name, for tables.
struct Hostile: CustomTestStringConvertible, Sendable {
    var testDescription: String
    /// What the refusal has to name.
    var word: String
    var write: @Sendable (inout RawTar, Canary) -> Void

    init(
        _ description: String, naming word: String = "",
        _ write: @escaping @Sendable (inout RawTar, Canary) -> Void
    ) {
        testDescription = description
        self.word = word
        self.write = write
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: paths in a layer` {
    private static let traversals = [
        "../canary/pwn", "/../pwn", "a/../../canary/pwn", "./../pwn", "a/..", "..", "a//../..//pwn",
    ]

    @Test(arguments: ["header", "PAX", "GNU"])
    func `T01 parent traversal is refused wherever the name stands`(form: String) throws {
        try attack("T01") { scene in
            for name in Self.traversals {
                let image = RawImage { tar in
                    switch form {
                    case "PAX":
                        tar.pax([("path", Array(name.utf8))])
                        tar.file("harmless")
                    case "GNU":
                        tar.long(Array(name.utf8))
                        tar.file("harmless")
                    default: tar.file(name)
                    }
                }
                // Unpacked by one, listed by the other.
                for outcome in [try scene.unpack(image), try scene.list(image)] {
                    scene.expectRefusal(outcome, ["Dockerfile:2", "leaves the image", ".."])
                }
            }
        }
    }

    @Test func `T01 a layer that is refused is the image's fault`() throws {
        try attack("T01-status") { scene in
            let outcome = try scene.unpack(RawImage { $0.file("../pwn") })
            #expect(outcome.status == 65, "\(outcome)")
        }
    }

    @Test func `T02 absolute names are relative to the image`() throws {
        try attack("T02") { scene in
            let made = try scene.copied(
                RawImage { tar in
                    for name in ["/etc/x", "//etc/y", "/./etc/z"] { tar.file(name) }
                })
            #expect(Set(made.entries.map(\.name)).isSuperset(of: ["etc/x", "etc/y", "etc/z"]))
            #expect(made.entries.count == 4, "\(made.summary)")
        }
    }

    @Test func `T03 a link made earlier leads nowhere but into the image`() throws {
        try attack("T03") { scene in
            let canary = scene.canary.path
            let made = try scene.copied(
                RawImage { tar in
                    tar.link("d", canary)
                    tar.file("d/pwn1")
                    tar.link("e", "../../..")
                    tar.file("e/pwn2")
                    // The legitimate twin: many images have it.
                    tar.directory("run")
                    tar.directory("var")
                    tar.link("var/run", "/run")
                    tar.file("var/run/x")
                })
            let names = made.entries.map(\.name)
            #expect(names.contains("run/x"))
            #expect(names.contains("pwn2"))
            #expect(names.contains(canary.dropFirst() + "/pwn1"))
        }
    }

    @Test func `T04 a loop of links is a tree, and a write through it is refused`() throws {
        try attack("T04") { scene in
            let loops = RawImage { tar in
                tar.link("a", "a")
                tar.link("b", "c")
                tar.link("c", "b")
            }
            let through = RawImage { tar in
                tar.link("b", "c")
                tar.link("c", "b")
                tar.file("b/x")
            }
            let outcome = try scene.unpack(through)
            scene.expectRefusal(outcome, ["Dockerfile:2", "/b/x"])
            #expect(outcome.processorTime < .seconds(5))
            #expect(try scene.copied(loops).entries.filter { $0.kind == "link" }.count == 3)
        }
    }

    private static let outerLinks = [
        Hostile("absolute", naming: "secret.txt") {
            $0.link("exfil", $1.path + "/secret.txt", type: "1")
        },
        Hostile("upwards", naming: "..") { tar, _ in
            tar.link("exfil", "../../canary/secret.txt", type: "1")
        },
        Hostile("relative to the working directory", naming: "canary/secret.txt") { tar, _ in
            tar.link("exfil", "canary/secret.txt", type: "1")
        },
        Hostile("in PAX", naming: "secret.txt") {
            $0.pax([("linkpath", Array(($1.path + "/secret.txt").utf8))])
            $0.link("exfil", "harmless", type: "1")
        },
        Hostile("through a link to the directory", naming: "d/secret.txt") {
            $0.link("d", $1.path)
            $0.link("exfil", "d/secret.txt", type: "1")
        },
    ]

    @Test(arguments: outerLinks)
    func `T05 a hard link has its target in the layer or is refused`(hostile: Hostile) throws {
        try attack("T05") { scene in
            let outcome = try scene.unpack(RawImage { hostile.write(&$0, scene.canary) })
            scene.expectRefusal(outcome, ["Dockerfile:2", hostile.word])
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test func `T05 a hard link within the layer is kept`() throws {
        try attack("T05-twin") { scene in
            let made = try scene.copied(
                RawImage { tar in
                    tar.file("one", "text")
                    tar.link("two", "/one", type: "1")
                })
            #expect(made.entry("two")?.kind == "hardlink" || made.entry("two")?.content == "text")
        }
    }

    @Test func `T06 a chain of links does not lead a hard link out`() throws {
        try attack("T06") { scene in
            let canary = scene.canary.path
            let image = RawImage { tar in
                tar.directory("a/b/c")
                tar.link("a/b/c/up", "../..")
                tar.link("a/b/escape", "c/up/../..")
                tar.link("exfil", "a/b/escape\(canary)/secret.txt", type: "1")
            }
            scene.expectRefusal(try scene.unpack(image), ["Dockerfile:2", "exfil"])
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test(arguments: [".", "./", "/"])
    func `T07 the root of a layer is a directory and stays one`(name: String) throws {
        try attack("T07") { scene in
            for type: Character in ["2", "0"] {
                // A file whose name ends with a slash is a directory to every reader, since the first tar.
                if type == "0" && name.hasSuffix("/") { continue }
                let image = RawImage { tar in
                    var header = RawTar.Header(name, type)
                    if type == "2" { header.link = Array(scene.canary.path.utf8) }
                    tar.add(header)
                    tar.file("pwn")
                }
                let outcome = try scene.unpack(image)
                #expect(outcome.status == 65, "\(outcome)")
            }
        }
    }

    @Test func `T07 a root without a name is refused`() throws {
        try attack("T07-empty") { scene in
            let outcome = try scene.unpack(RawImage { $0.link("", scene.canary.path) })
            scene.expectRefusal(outcome, ["Dockerfile:2"])
        }
    }

    @Test(arguments: [0, 0o4777])
    func `T07 the mode of a root is the image's, not the store's`(mode: Int) throws {
        try attack("T07-mode") { scene in
            let image = RawImage { tar in
                tar.directory("./", mode: mode)
                tar.file("x")
            }
            try scene.unpack(image).required()
            let store = try PathSnapshot(scene.lichen.store)
            #expect(store.permissions == 0o700)
            try scene.lichen.run(["prune", "--all"]).required()
            let trees = scene.lichen.store + "/trees"
            let left = try Command(["find", trees, "-mindepth", "2"]).run()
            #expect(left.text.isEmpty, "\(left)")
        }
    }

    private static let whiteouts = [
        ".wh.", ".wh..", ".wh...", "d/.wh...", "d/.wh../x", ".wh./", "d/.wh./x",
    ]

    @Test(arguments: whiteouts)
    func `T08 a whiteout that names no file is refused`(name: String) throws {
        try attack("T08") { scene in
            let lower = RawTar.make {
                $0.file("victim")
                $0.file("d/victim")
            }
            let upper = RawTar.make { $0.file(name, "") }
            let outcome = try scene.unpack(RawImage([lower, upper]))
            // The entry is named, not what it would hide.
            let entry = name.hasSuffix("/") ? String(name.dropLast()) : name
            scene.expectRefusal(outcome, ["Dockerfile:2", entry])
        }
    }

    @Test func `T08 a whiteout that is too long is refused`() throws {
        try attack("T08-long") { scene in
            let image = RawImage { tar in
                tar.long(Array(".wh.".utf8) + [UInt8](repeating: 0x61, count: 300))
                tar.file("x")
            }
            scene.expectRefusal(try scene.unpack(image), ["Dockerfile:2"])
        }
    }

    @Test func `T08 a whiteout hides what it names and nothing else`() throws {
        try attack("T08-twin") { scene in
            let lower = RawTar.make {
                for name in ["victim", "gone", "d/gone", "d/victim", "e/gone", "f"] {
                    $0.file(name)
                }
            }
            let upper = RawTar.make { tar in
                tar.file(".wh.gone", "with data")
                tar.link("d/.wh.gone", "/victim")
                tar.directory("e/.wh.gone")
            }
            let made = try scene.copied(RawImage([lower, upper]))
            let files = made.entries.filter { $0.kind == "file" }.map(\.name)
            #expect(Set(files) == ["victim", "d/victim", "f"])
        }
    }
}
