import FoundationEssentials
import OCI
import TestSupport
import Testing

private let both = ["--platform", "linux/amd64,linux/arm64"]

/// An index, as skopeo has it from a registry or a layout.
private struct PushedIndex: Decodable {
    struct Entry: Decodable {
        struct Platform: Decodable {
            var os, architecture: String
            var variant: String?
        }
        var mediaType, digest: String
        var platform: Platform?
    }
    var mediaType: String
    var manifests: [Entry]

    var platforms: [String] {
        manifests.map { entry in
            [entry.platform?.os, entry.platform?.architecture, entry.platform?.variant]
                .compactMap { $0 }.joined(separator: "/")
        }
    }

    /// - Parameter source: as skopeo names it.
    init(_ source: String) throws {
        let outcome = try Command(["skopeo", "inspect", "--raw", "--tls-verify=false", source])
            .run().required()
        self = try JSONDecoder().decode(PushedIndex.self, from: Data(outcome.output))
    }
}

/// The image for one machine of an index that was pushed, checked.
private func image(_ name: String, for architecture: String) throws -> InspectedImage {
    try InspectedImage.chosen("docker://\(name)", for: architecture)
}

extension InspectedImage {
    /// The image for one machine of an index, as skopeo copies it, checked.
    fileprivate static func chosen(_ source: String, for architecture: String) throws
        -> InspectedImage
    {
        let directory = try TemporaryDirectory()
        let layout = directory.path("layout")
        try Command([
            "skopeo", "--override-arch", architecture, "copy", "--quiet",
            "--src-tls-verify=false", source, "oci:\(layout):image",
        ]).run().required()
        let image = try inLayout(layout, "image")
        #expect(image.image.architecture == architecture)
        return image
    }

    /// The lines of a file, of the highest layer that has it.
    fileprivate func lines(_ name: String) -> [String] {
        let content = layers.reversed().compactMap { $0.entry(name)?.content }.first ?? ""
        return Self.decoded(content).split(separator: "\n").map(String.init)
    }
}

extension TemporaryDirectory {
    fileprivate func text(_ name: String) throws -> String {
        String(decoding: try read(name), as: UTF8.self)
    }
}

@Suite(
    .enabled(if: TestHost.allowsSandboxes, needsJudges),
    .enabled(if: Bases.canEmulate, "gcc-aarch64-linux-gnu or qemu-user-static is missing"))
struct `A build for several platforms` {
    private static let environment = ["SOURCE_DATE_EPOCH": "1500000000"]

    /// Two native stages: one that is the same for all platforms, and one that hears of the target.
    private func folder() throws -> BuildFolder {
        try BuildFolder(
            """
            FROM --platform=$BUILDPLATFORM \(Bases.busybox()) AS tools
            RUN uname -m > /native
            FROM --platform=$BUILDPLATFORM \(Bases.busybox()) AS cross
            ARG TARGETARCH
            ARG TARGETPLATFORM
            RUN echo "$TARGETPLATFORM $TARGETARCH on $(uname -m)" > /cross
            FROM \(Bases.machines())
            WORKDIR /made
            RUN machine /made/machine
            COPY --from=tools /native .
            COPY --from=cross /cross .
            COPY Dockerfile .
            """)
    }

    @Test func `pushes an index, with what each machine made of it`() throws {
        let (lichen, folder, name) = (try LichenProgram(), try folder(), try newName())
        // An emulator of the user's own, which a RUN's root may write to but for the mount that it comes by.
        let programs = try TemporaryDirectory()
        let emulator = try #require(TestHost.find("qemu-aarch64-static"))
        try Command(["cp", emulator, programs.path]).run().required()
        var environment = Self.environment
        environment["PATH"] = "\(programs.path):/usr/bin:/bin"
        let outcome = try lichen.build(folder, both + ["-t", name, "--push"], environment)
            .run().required()
        let index = try PushedIndex("docker://\(name)")
        #expect(index.mediaType == MediaType.index.rawValue)
        #expect(index.platforms == ["linux/amd64", "linux/arm64"])
        #expect(index.manifests.allSatisfy { $0.mediaType == MediaType.manifest.rawValue })
        let digest = try Command([
            "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}",
            "docker://\(name)",
        ]).run().required()
        #expect(outcome.text == digest.text)
        // Where the host has registered one, that belongs to an id that no RUN has.
        let isRegistered = FileManager.default.fileExists(
            atPath: "/proc/sys/fs/binfmt_misc/qemu-aarch64")
        for (architecture, machine, refusal) in [
            ("amd64", "x86_64", "Text file busy"),
            ("arm64", "aarch64", isRegistered ? "Permission denied" : "Read-only file system"),
        ] {
            let image = try image(name, for: architecture)
            #expect(image.lines("made/native") == ["x86_64"])
            #expect(
                image.lines("made/cross") == ["linux/\(architecture) \(architecture) on x86_64"])
            #expect(image.lines("made/machine").first == machine)
            #expect(
                image.lines("made/machine").dropFirst() == [
                    "a thread", "by another name", refusal, "machine",
                ])
        }
        #expect(lichen.work.isEmpty)
        // What does not hear of the target runs once for both.
        #expect(outcome.error.ranges(of: "RUN uname -m").count == 2, "\(outcome)")
        #expect(outcome.error.contains("[linux/arm64 cross "), "\(outcome)")
        #expect(outcome.error.contains("14 steps, 1 cached"), "\(outcome)")
    }
}

@Suite(
    .enabled(if: TestHost.allowsSandboxes, needsJudges),
    .enabled(if: Bases.canEmulate, "gcc-aarch64-linux-gnu or qemu-user-static is missing"))
struct `An index of a build` {
    private static let environment = ["SOURCE_DATE_EPOCH": "1500000000"]

    private func folder() throws -> BuildFolder {
        try BuildFolder("FROM \(Bases.machines())\nRUN machine /machine\nCOPY Dockerfile /file\n")
    }

    @Test func `is the same everywhere, and its images are in the order of the command line`()
        throws
    {
        let folder = try folder()
        var digests: [String] = []
        for _ in 1...2 {
            let lichen = try LichenProgram()
            let order = ["--platform", "arm64,linux/amd64,linux/arm64/v8"]
            let layout = folder.path + ".layout-\(digests.count)"
            defer { TestHost.remove(layout) }
            digests += [
                try lichen.build(
                    folder, order + ["-o", "type=oci,dest=\(layout)", "-t", "two:1"],
                    Self.environment
                ).run().required().text
            ]
            let index = try PushedIndex("oci:\(layout):1")
            #expect(index.platforms == ["linux/arm64", "linux/amd64"])
            let image = try InspectedImage.chosen("oci:\(layout):1", for: "arm64")
            #expect(image.lines("machine").first == "aarch64")
        }
        #expect(digests[0] == digests[1])
    }

    @Test func `is named, copied and looked at as one image is`() throws {
        let (lichen, folder, name) = (try LichenProgram(), try folder(), try newName())
        let files = try TemporaryDirectory()
        let digest = try lichen.build(
            folder,
            both + [
                "-t", "two:1", "--iidfile", files.path("id"), "--metadata-file", files.path("meta"),
                "-o", "type=oci,dest=\(files.path("two.tar"))",
            ]
        ).run().required().text
        #expect(try files.text("id") + "\n" == digest)
        let metadata = try files.text("meta")
        #expect(metadata.contains("\"containerimage.digest\" : \"\(digest.dropLast())\""))
        #expect(metadata.contains(MediaType.index.rawValue) && !metadata.contains("config.digest"))
        #expect(
            try PushedIndex("oci-archive:\(files.path("two.tar")):1").platforms
                == ["linux/amd64", "linux/arm64"])

        try lichen.run(["tag", "two:1", name]).required()
        #expect(try lichen.run(["push", name]).required().text == digest)
        #expect(try image(name, for: "arm64").lines("machine").first == "aarch64")
        #expect(try image(name, for: "amd64").lines("machine").first == "x86_64")
        let inspected = try lichen.run(["inspect", "--platform", "linux/arm64", "two:1"]).required()
        #expect(inspected.text.contains("linux/arm64"), "\(inspected)")
        let images = try lichen.run(["images"]).required().text
        #expect(images.contains("linux/amd64") && images.contains("linux/arm64"), "\(images)")
        #expect(try lichen.run(["store", "check"]).isSuccess)

        let other = try LichenProgram()
        try other.run(["pull", "--platform", "linux/amd64,linux/arm64", name]).required()
        let copy = try newName()
        try other.run(["tag", name, copy]).required()
        #expect(try other.run(["push", copy]).required().text == digest)
        #expect(try PushedIndex("docker://\(copy)").platforms == ["linux/amd64", "linux/arm64"])
    }

    @Test func `becomes a directory for each platform where files are wanted`() throws {
        let (lichen, files) = (try LichenProgram(), try TemporaryDirectory())
        let folder = try BuildFolder(
            "FROM scratch AS s\nCOPY . /d/\nFROM s\nARG TARGETARCH\nCOPY $TARGETARCH /here\n",
            ["amd64": "A", "arm64": "B", ".dockerignore": "Dockerfile\n"])
        let (tar, tree) = (files.path("files.tar"), files.path("tree"))
        try lichen.build(folder, both + ["-o", "type=tar,dest=\(tar)", "-o", tree]).run().required()
        let names = try Command(["tar", "-tf", tar]).run().required().text
            .split(separator: "\n").map(String.init)
        #expect(names.first == "linux_amd64/" && names.contains("linux_arm64/d/amd64"), "\(names)")
        #expect(names.allSatisfy { $0.hasPrefix("linux_a") })
        #expect(try files.text("tree/linux_amd64/here") == "A")
        #expect(try files.text("tree/linux_arm64/here") == "B")
        let refused = try lichen.build(
            folder, both + ["-o", "type=docker,dest=\(files.path("no.tar"))"]
        ).run()
        #expect(refused.status == 64 && refused.error.contains("type=oci"), "\(refused)")
    }

    @Test func `is planned for each platform`() throws {
        let (lichen, folder) = (try LichenProgram(), try folder())
        let before = try lichen.run(["plan"] + both + [folder.path]).required().text
        #expect(
            before.contains("image for linux/amd64:") && before.contains("image for linux/arm64:"))
        #expect(before.contains("  #3 runs     RUN machine"), "\(before)")
        #expect(before.contains("0 cached, 2 would run, 2 not known before"), "\(before)")
        try lichen.build(folder, both).run().required()
        let after = try lichen.run(["plan"] + both + [folder.path]).required().text
        #expect(after.contains("4 cached, 0 would run"), "\(after)")
    }

    @Test func `needs a base for each of them`() throws {
        let (lichen, folder) = (try LichenProgram(), try folder())
        let outcome = try lichen.build(folder, ["--platform", "linux/amd64,linux/s390x"]).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("Dockerfile:1: "), "\(outcome)")
        #expect(outcome.error.contains("has no image for linux/s390x"), "\(outcome)")
        #expect(outcome.error.contains("it is there for: linux/amd64, linux/arm64\n"), "\(outcome)")
        #expect(!outcome.error.contains("#1 "))
    }

    @Test func `is refused where the last stage is for one platform in any case`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM --platform=linux/arm64 scratch\nCOPY Dockerfile /\n")
        let outcome = try lichen.build(folder, both).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("Dockerfile:1: this stage is for linux/arm64"), "\(outcome)")
    }
}
