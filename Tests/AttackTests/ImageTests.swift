import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// An image whose documents are not what they should be.
struct BadImage: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var change: @Sendable (inout RawImage) -> Void

    init(_ description: String, _ change: @escaping @Sendable (inout RawImage) -> Void) {
        testDescription = description
        self.change = change
    }

    static func manifest(_ description: String, _ old: String, _ new: String) -> BadImage {
        BadImage(description) { image in
            image.editManifest = { $0.replacing(old, with: new) }
        }
    }

    static func config(_ description: String, _ old: String, _ new: String) -> BadImage {
        BadImage(description) { image in image.editConfig = { $0.replacing(old, with: new) } }
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: the documents of an image` {
    private static let zero = String(repeating: "0", count: 64)

    private static let documents: [BadImage] = [
        .manifest(
            "I01 a manifest that is an index, too", "\"layers\":", "\"manifests\":[],\"layers\":"),
        .manifest(
            "I01 an index by its media type", RawImage.manifestType,
            "application/vnd.oci.image.index.v1+json"),
        .manifest("I02 layers twice", "\"layers\":", "\"layers\":[],\"layers\":"),
        .manifest("I02 layers in two cases", "\"layers\":", "\"Layers\":[],\"layers\":"),
        .manifest("I02 config in two cases", "\"config\":", "\"CONFIG\":{},\"config\":"),
        .manifest("I02 a digest twice", "\"digest\":", "\"digest\":\"sha256:\(zero)\",\"digest\":"),
        .manifest("I02 a comment", "{\"schema", "/* x */ {\"schema"),
        .manifest("I02 a size that is no whole number", "\"size\":", "\"size\":1e3,\"x\":"),
        .manifest("I02 a size that is text", "\"size\":", "\"size\":\"1\",\"x\":"),
        .manifest("I02 a size that is NaN", "\"size\":", "\"size\":NaN,\"x\":"),
        .manifest(
            "I03 more than 4 MiB", "{\"schema",
            "{\"x\":\"\(String(repeating: "x", count: 5 << 20))\",\"schema"),
        .manifest(
            "I03 a hundred thousand levels", "{\"schema",
            "{\"x\":\(String(repeating: "[", count: 100_000)),\"schema"),
        BadImage("I03 a config of 9 MiB") {
            $0.configMembers = ",\"x\":\"\(String(repeating: "x", count: 9 << 20))\""
        },
        .manifest("I04 schema 1", "\"schemaVersion\":2", "\"schemaVersion\":1"),
        .manifest(
            "I05 a digest that is a path", "\"digest\":\"sha256:",
            "\"digest\":\"sha256:../../../../canary/x"),
        .manifest("I05 upper case", "\"digest\":\"sha256:", "\"digest\":\"sha256:ABCDEF"),
        .manifest("I05 md5", "\"digest\":\"sha256:", "\"digest\":\"md5:"),
        .manifest("I05 nothing", "\"digest\":\"sha256:", "\"digest\":\"\",\"x\":\""),
        .manifest("I05 a blank", "\"digest\":\"sha256:", "\"digest\":\" sha256:"),
        .config("I06 no diff ID", "\"diff_ids\":[", "\"diff_ids\":[],\"x\":["),
        .config("I06 one diff ID too many", "\"diff_ids\":[", "\"diff_ids\":[\"sha256:\(zero)\","),
        .config("I06 another type of root", "\"type\":\"layers\"", "\"type\":\"foo\""),
        BadImage("I07 a size of -1") { $0.layers[0].size = "-1" },
        BadImage("I07 a size of 2^63") { $0.layers[0].size = "9223372036854775808" },
        BadImage("I07 a size that is one too small") {
            $0.layers[0].size = "\($0.layers[0].bytes.count - 1)"
        },
        BadImage("I07 a size that is one too large") {
            $0.layers[0].size = "\($0.layers[0].bytes.count + 1)"
        },
        BadImage("T20 xz in place of a tar") {
            $0.layers[0].bytes =
                [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4] + [UInt8](repeating: 0, count: 600)
        },
        BadImage("T20 bzip2 as gzip") {
            $0.layers[0].bytes = Array("BZh91AY&SY".utf8) + [UInt8](repeating: 7, count: 600)
            $0.layers[0].mediaType += "+gzip"
        },
        BadImage("T20 a program") {
            $0.layers[0].bytes = [0x7f, 0x45, 0x4c, 0x46] + [UInt8](repeating: 1, count: 1020)
        },
        BadImage("T17 gzip that ends early") {
            $0.layers[0].bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]
            $0.layers[0].mediaType += "+gzip"
        },
        BadImage("T17 gzip with reserved flags") {
            $0.layers[0].bytes = [
                0x1f, 0x8b, 8, 0xe0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ]
            $0.layers[0].mediaType += "+gzip"
        },
        BadImage("T17 gzip with an endless name") {
            $0.layers[0].bytes =
                [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0x61, count: 1 << 20)
            $0.layers[0].mediaType += "+gzip"
        },
        BadImage("T19 zstd with a window of 2 GiB") {
            $0.layers[0].bytes = [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0]
            $0.layers[0].mediaType += "+zstd"
        },
        BadImage("T19 zstd that ends early") {
            $0.layers[0].bytes = [0x28, 0xb5, 0x2f, 0xfd, 0x24, 5, 0x29]
            $0.layers[0].mediaType += "+zstd"
        },
    ]

    /// What is no image for this machine, and what the refusal says of it.
    private static let others: [(BadImage, String)] = [
        (
            .manifest(
                "I04 an artifact", RawImage.configType, "application/vnd.cncf.helm.config.v1+json"),
            "vnd.cncf.helm.config"
        ),
        (
            .manifest(
                "I04 an artifact without a config", RawImage.configType,
                "application/vnd.oci.empty.v1+json"), "vnd.oci.empty"
        ),
        (
            .manifest(
                "I04 an encrypted layer", "layer.v1.tar\"", "layer.v1.tar+encrypted\""),
            "tar+encrypted"
        ),
        (
            .manifest(
                "I04 WebAssembly", "application/vnd.oci.image.layer.v1.tar", "application/wasm"),
            "application/wasm"
        ),
        (.config("I18 another system", "\"os\":\"linux\"", "\"os\":\"windows\""), "windows"),
    ]

    @Test(arguments: others)
    func `I04 I18 what is no image for this machine is refused`(bad: BadImage, word: String) throws
    {
        try attack("I04") { scene in
            var image = RawImage { $0.file("x") }
            bad.change(&image)
            for outcome in [try scene.unpack(image), try scene.list(image)] {
                scene.expectRefusal(outcome, status: [65], ["Dockerfile:", word])
            }
        }
    }

    /// As everywhere: many an image states a wrong architecture, and works.
    @Test func `I18 an image for another machine is warned of`() throws {
        try attack("I18") { scene in
            var image = RawImage { $0.file("x") }
            image.architecture = "s390x"
            let outcome = try scene.list(image)
            #expect(outcome.isSuccess, "\(outcome)")
            for word in ["InvalidBaseImagePlatform", "s390x", RawImage.architecture] {
                #expect(outcome.error.contains(word), "\(outcome)")
            }
        }
    }

    @Test func `I06 a layer with another diff ID is refused`() throws {
        try attack("I06") { scene in
            var image = RawImage { $0.file("x") }
            image.layers[0].diffID = "sha256:\(Self.zero)"
            let outcome = try scene.unpack(image)
            scene.expectRefusal(outcome, status: [65], ["Dockerfile:2", Self.zero])
        }
    }

    @Test(arguments: documents)
    func `I01 to I07, I18, T17, T19, T20: what two readers could read differently is refused`(
        bad: BadImage
    ) throws {
        try attack("I01") { scene in
            var image = RawImage { $0.file("x") }
            bad.change(&image)
            let outcome = try scene.unpack(image)
            #expect(Scene.refused.contains(outcome.status ?? -1), "\(outcome)")
            #expect(scene.lichen.index.isEmpty)
            #expect(outcome.processorTime < .seconds(10))
        }
    }

    @Test func `I07 addresses in a descriptor are not asked`() throws {
        try attack("I07") { scene in
            let trap = try EvilRegistry()
            var image = RawImage { $0.file("x") }
            image.layers[0].members =
                "\"urls\":[\"http://\(trap.host)/x\",\"file:///etc/passwd\"],\"annotations\":{\"a\":\"$(touch pwn)\"},"
            let outcome = try scene.unpack(image)
            #expect([0, 65].contains(outcome.status), "\(outcome)")
            #expect(trap.requests.isEmpty)
        }
    }

    @Test func `I08 an index within an index within an index is refused`() throws {
        try attack("I08") { scene in
            var image = RawImage { $0.file("x") }
            let manifest = try image.blobs().manifest
            image.editManifest = { _ in
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{"
                    + "\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"\(manifest.digest)\","
                    + "\"size\":\(manifest.bytes.count)}]}"
            }
            scene.expectRefusal(try scene.unpack(image))
        }
    }

    /// CVE-2026-46680, CVE-2026-30892: what looks like a number is one.
    @Test(arguments: [
        ("0", "0:0"), ("root", "0:0"), ("1000", "1000:1000"), ("1000:5", "1000:5"),
        ("work", "1000:1000"),
        ("1", "1:0"),
    ])
    func `I10 a user is the one that is meant`(user: String, ids: String) throws {
        try attack("I10") { scene in
            let image = RawImage {
                $0.file(
                    "etc/passwd",
                    "root:x:0:0::/:/bin/sh\nwork:x:1000:1000::/:/bin/sh\n77:x:0:0::/:/bin/sh\n1000abc:x:0:0::/:/bin/sh\n"
                )
            }
            let outcome = try scene.build(
                """
                FROM base
                COPY --from=\(Bases.busybox()) /bin /bin
                USER \(user)
                RUN ["/bin/sh", "-c", "echo ids $(id -u):$(id -g)"]
                """, ["base": try scene.base(image)])
            #expect(outcome.error.contains(" ids \(ids)\n"), "\(outcome)")
        }
    }

    /// CVE-2026-46680: /etc/passwd of the image is no word on what a number means.
    @Test func `I10 a number is a number, whatever a line of passwd is called`() throws {
        try attack("I10-number") { scene in
            let image = RawImage {
                $0.file("etc/passwd", "root:x:0:0::/:/bin/sh\n77:x:0:0::/:/bin/sh\n")
            }
            let outcome = try scene.build(
                """
                FROM base
                COPY --from=\(Bases.busybox()) /bin /bin
                USER 77
                RUN ["/bin/sh", "-c", "echo ids $(id -u)"]
                """, ["base": try scene.base(image)])
            #expect(outcome.error.contains(" ids 77\n"), "\(outcome)")
        }
    }

    @Test func `I10 a number has digits and nothing else`() throws {
        try attack("I10-sign") { scene in
            let outcome = try scene.build("FROM \(Bases.busybox())\nUSER +1\nRUN true\n")
            #expect(!outcome.isSuccess, "\(outcome)")
        }
    }

    @Test(arguments: [
        "-1", "4294967295", "4294967296", "1000abcd", "nobody-here", "0:nobody-here", "1:2:3",
        "99999999999999999999",
    ])
    func `I10 a user that is none is refused`(user: String) throws {
        try attack("I10-bad") { scene in
            let outcome = try scene.build(
                "FROM \(Bases.busybox())\nUSER \(user)\nRUN echo ids $(id -u)\n")
            #expect(Scene.refused.contains(outcome.status ?? -1), "\(outcome)")
            #expect(!outcome.error.contains(" ids 0\n"), "\(outcome)")
        }
    }

    /// CVE-2024-9676, CVE-2026-47262.
    @Test(arguments: ["link", "up", "fifo", "directory", "huge", "line"])
    func `I11 a passwd that is a trap is refused, or read with limits`(kind: String) throws {
        try attack("I11") { scene in
            let image = RawImage { tar in
                for name in ["etc/passwd", "etc/group"] {
                    switch kind {
                    case "link": tar.link(name, scene.canary.path + "/secret.txt")
                    case "up":
                        tar.link(
                            name,
                            String(repeating: "../", count: 20) + scene.canary.path.dropFirst()
                                + "/secret.txt")
                    case "fifo": tar.add(RawTar.Header(name, "6"))
                    case "directory": tar.directory(name)
                    case "huge":
                        tar.file(name, String(repeating: "a:x:1:1::/:/bin/sh\n", count: 200_000))
                    default: tar.file(name, String(repeating: "a", count: 3 << 20))
                    }
                }
            }
            let outcome = try scene.build(
                """
                FROM base
                COPY --from=\(Bases.busybox()) /bin /bin
                USER someone
                RUN ["/bin/true"]
                """, ["base": try scene.base(image)])
            #expect(!outcome.isSuccess)
            #expect(outcome.status != 70 && outcome.signal == nil, "\(outcome)")
            #expect(!outcome.error.contains(scene.canary.secret))
            #expect(outcome.processorTime < .seconds(10))
        }
    }

    @Test func `I13 ONBUILD of a base is a step of the build, confined like any other`() throws {
        try attack("I13") { scene in
            var image = RawImage { $0.file("x") }
            image.run = "\"OnBuild\":[\"RUN touch /pwn\",\"COPY . /\"]"
            let outcome = try scene.unpack(image)
            let onTop = try scene.list(image)
            #expect(Scene.refused.contains(onTop.status ?? -1), "\(onTop)")
            // A COPY from it triggers nothing.
            #expect(outcome.isSuccess, "\(outcome)")
        }
    }

    @Test func `I14 I15 labels, volumes and the like are text`() throws {
        try attack("I14") { scene in
            var image = RawImage { $0.file("x") }
            let evil = "$(touch \(scene.canary.path)/pwn);\\u001b]52;c;x\\u0007../../x"
            image.run = """
                "Labels":{"\(evil)":"\(evil)","../../x":"`id`"},"Volumes":{"/":{},"/proc":{},"../x":{},"/etc/passwd":{}},\
                "StopSignal":"KILL;x","ExposedPorts":{"$(id)":{}}
                """
            let before = try scene.build(
                """
                FROM base
                COPY --from=\(Bases.busybox()) /bin /bin
                RUN ["/bin/sh", "-c", "cut -d' ' -f5 /proc/self/mountinfo"]
                """, ["base": try scene.base(image)], ["-t", "labels:1"])
            #expect([0, 65].contains(before.status), "\(before)")
            #expect(!before.error.contains("/etc/passwd"))
            let inspected = try scene.lichen.run(["inspect", "labels:1"])
            scene.expectSound(inspected)
            scene.expectSound(try scene.lichen.run(["images"]))
        }
    }

    @Test(arguments: ["link", "fifo", "index", "marker"])
    func `I16 a layout has files, and nothing that leads out`(kind: String) throws {
        try attack("I16") { scene in
            let path = scene.path("layout")
            let image = RawImage { $0.file("x") }
            let layer = try image.blobs().layers[0].dropFirst(7)
            let base = try image.layout(at: path)
            let blob = "\(path)/blobs/sha256/\(layer)"
            switch kind {
            case "link":
                try FileManager.default.removeItem(atPath: blob)
                symlink(scene.canary.path + "/secret.txt", blob)
            case "fifo":
                try FileManager.default.removeItem(atPath: blob)
                mkfifo(blob, 0o600)
            case "index":
                try FileManager.default.removeItem(atPath: path + "/index.json")
                mkfifo(path + "/index.json", 0o600)
            default:
                try Data([UInt8](repeating: 0x7b, count: 8 << 20)).write(
                    to: URL(filePath: path + "/oci-layout"))
            }
            let outcome = try scene.build("FROM base\nWORKDIR /w\n", ["base": base])
            scene.expectRefusal(outcome, status: [65])
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test(arguments: ["../../canary/secret.txt", "CANARY/secret.txt", "link"])
    func `I16 an archive's manifest names members of the archive`(layer: String) throws {
        try attack("I16-docker") { scene in
            let name = layer.replacing("CANARY", with: scene.canary.path)
            let tar = RawTar.make { tar in
                tar.file(
                    "config.json",
                    "{\"architecture\":\"\(RawImage.architecture)\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:\(Self.zero)\"]}}"
                )
                tar.link("link", scene.canary.path + "/secret.txt")
                tar.file(
                    "manifest.json",
                    "[{\"Config\":\"config.json\",\"RepoTags\":[\"x:1\"],\"Layers\":[\"\(name)\"]}]"
                )
            }
            let path = scene.path("archive.tar")
            try Data(tar).write(to: URL(filePath: path))
            let outcome = try scene.build(
                "FROM base\nWORKDIR /w\n", ["base": "docker-archive://\(path)"])
            scene.expectRefusal(outcome, status: [65])
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test(arguments: [
        "../../x", "127.0.0.1:1/UPPER", "a@sha256:zz", "127.0.0.1:99999/x", "user:pw@127.0.0.1:1/x",
        "127.0.0.1:1/x:tag/../y",
        "\u{ff44}ocker.io/x", "-o=x", "a:\(String(repeating: "t", count: 300))", "x y",
    ])
    func `I17 a name that is none is refused before anybody is asked`(name: String) throws {
        try attack("I17") { scene in
            let outcome = try scene.build("FROM \(name)\n")
            scene.expectRefusal(outcome, status: [65], ["Dockerfile:1"])
            if name.hasPrefix("-") { return }
            let tagged = try scene.build("FROM scratch\nLABEL a=b\n", [:], ["-t", name])
            scene.expectRefusal(tagged, status: [64, 65])
        }
    }
}
