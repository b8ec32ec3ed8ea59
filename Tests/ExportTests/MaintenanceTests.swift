@testable import Build
import Linux
import OCI
import Store
import SystemPackage
import Testing

/// A store with two images, a step record and something that nobody needs.
private struct Fixture {
    let maker: ImageMaker
    let image: ExportableImage
    let other: ExportableImage
    let step: LayerRecord
    let unneeded: LayerRecord
    let key = Digest(hex: String(repeating: "ab", count: 32))!

    var store: Store { maker.store }

    init() throws {
        maker = try ImageMaker()
        let shared = try maker.layer([.file("shared", "1")])
        image = try maker.image([shared, try maker.layer([.file("own", "2")])])
        other = try maker.image([shared], comment: "other")
        step = try maker.layer([.file("step", "3")])
        unneeded = try maker.layer([.file("unneeded", "4")])
        try store.setImage("docker.io/library/image:latest", to: image.manifest)
        try store.setImage("docker.io/library/other:latest", to: other.manifest)
        try store.keepStep(key, record(step))
    }

    func record(_ layer: LayerRecord) -> StepRecord {
        StepRecord(
            layer: layer, compressor: nil,
            basis: Digest(sha256: [UInt8](repeating: 1, count: 32)),
            created: Timestamp(secondsSinceEpoch: 1))
    }

    /// Makes everything look as if it was used so long ago.
    func age(by seconds: Int64) throws {
        let root = try FileDescriptor.workingDirectory.open(
            store.pathForMessages, [.readOnly, .directory], resolve: .system)
        for name in ["blobs/sha256", "listings", "steps"] {
            let directory = try root.borrowed.open(name, [.readOnly, .directory])
            for file in try DirectoryReader().names(in: directory.borrowed) {
                try directory.borrowed.setTimes(
                    file, FileTime(seconds: wallClockSeconds() - seconds))
            }
        }
    }

    func exportFiles(_ image: ExportableImage) throws {
        try ImageExporter(store: store).export(
            image, to: ImageOutput(kind: .tar, destination: .path("/dev/null"), isTar: true))
    }

    func path(_ blob: Digest) -> String { "\(store.pathForMessages)/blobs/sha256/\(blob.hex)" }
}

@Suite struct `A prune` {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test func `removes only what no image and no record needs`() throws {
        try fixture.exportFiles(fixture.image)
        try fixture.exportFiles(try fixture.maker.image([fixture.unneeded]))
        let freed = try StorePrune(fixture.store).run()
        // The layer, and the manifest and config of the image without a name.
        #expect((freed.blobs, freed.listings, freed.steps) == (3, 1, 0))
        #expect(freed.bytes > fixture.unneeded.blob.size)
        try fixture.exportFiles(fixture.image)
        try fixture.exportFiles(fixture.other)
        #expect(try fixture.store.step(fixture.key)?.layer == fixture.step)
        #expect(try StorePrune(fixture.store).run() == StorePrune.Freed())
    }

    @Test func `of all removes the records and their layers, too`() throws {
        let freed = try StorePrune(fixture.store).run(Self.all)
        #expect((freed.blobs, freed.steps) == (2, 1))
        #expect(try fixture.store.allSteps().isEmpty)
        try fixture.exportFiles(fixture.image)
    }

    @Test func `removes a record whose layer is gone`() throws {
        try fixture.store.removeBlob(fixture.step.blob.digest)
        #expect(try StorePrune(fixture.store).run().steps == 1)
    }

    @Test func `frees what a removed name alone needed`() throws {
        _ = try StorePrune(fixture.store).run()
        #expect(try fixture.store.removeImage("docker.io/library/image:latest"))
        let freed = try StorePrune(fixture.store).run()
        #expect(freed.blobs == 3)
        try fixture.exportFiles(fixture.other)
    }

    private static var all: PruneLimits {
        var limits = PruneLimits()
        limits.takesAll = true
        return limits
    }

    @Test func `leaves what somebody in the store has found or made`() throws {
        try fixture.age(by: 60)
        let visit = try fixture.store.enter()
        #expect(try fixture.store.size(ofBlob: fixture.unneeded.blob.digest) != nil)
        let made = try fixture.maker.layer([.file("made", "5")])
        _ = try StorePrune(fixture.store).run(Self.all)
        #expect(try fixture.store.size(ofBlob: fixture.unneeded.blob.digest) != nil)
        #expect(try fixture.store.size(ofBlob: made.blob.digest) != nil)
        // Nobody has asked for this one.
        #expect(try fixture.store.onlooker().size(ofBlob: fixture.step.blob.digest) == nil)
        _ = consume visit
        #expect(try StorePrune(fixture.store).run(Self.all).blobs == 2)
    }

    @Test func `by age takes what was not used for so long`() throws {
        try fixture.age(by: 7200)
        let young = try fixture.maker.layer([.file("young", "6")])
        var limits = PruneLimits()
        limits.unusedSeconds = 3600 * 3
        #expect(try StorePrune(fixture.store).run(limits) == StorePrune.Freed())
        limits.unusedSeconds = 3600
        let freed = try StorePrune(fixture.store).run(limits)
        #expect((freed.blobs, freed.steps) == (2, 1))
        #expect(try fixture.store.size(ofBlob: young.blob.digest) != nil)
        try fixture.exportFiles(fixture.image)
    }

    @Test func `by age leaves a record that a build has used`() throws {
        try fixture.age(by: 7200)
        let visit = try fixture.store.enter()
        #expect(try fixture.store.step(fixture.key) != nil)
        _ = consume visit
        var limits = PruneLimits()
        limits.unusedSeconds = 3600
        #expect(try StorePrune(fixture.store).run(limits).steps == 0)
        #expect(try fixture.store.step(fixture.key)?.layer == fixture.step)
    }

    @Test func `by size takes the least recently used`() throws {
        _ = try StorePrune(fixture.store).run()
        let newer = try fixture.maker.layer([.file("newer", "7")])
        let key = Digest(hex: String(repeating: "cd", count: 32))!
        try fixture.age(by: 60)
        try fixture.store.keepStep(key, fixture.record(newer))
        var limits = PruneLimits()
        limits.keptBytes = 1 << 30
        #expect(try StorePrune(fixture.store).run(limits) == StorePrune.Freed())
        // Room for one of the two.
        let record = try #require(try fixture.store.use(ofStep: key))
        limits.keptBytes = newer.blob.size + record.bytes
        let freed = try StorePrune(fixture.store).run(limits)
        #expect((freed.blobs, freed.steps) == (1, 1))
        #expect(try fixture.store.step(fixture.key) == nil)
        #expect(try fixture.store.step(key)?.layer == newer)
        limits.keptBytes = 0
        #expect(try StorePrune(fixture.store).run(limits).steps == 1)
        try fixture.exportFiles(fixture.image)
    }

    @Test func `is foretold by a preview that removes nothing`() throws {
        let items = try StorePrune(fixture.store).preview(Self.all)
        #expect(StorePrune.Freed(items) == (try StorePrune(fixture.store).run(Self.all)))
        #expect(try StorePrune(fixture.store).preview(Self.all) == [])
    }
}

@Suite struct `A check of the store` {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test func `finds nothing where all is well`() async throws {
        try fixture.exportFiles(fixture.image)
        #expect(try await StoreCheck(fixture.store).problems(jobs: 2) == [])
    }

    @Test(arguments: [1, 4])
    func `finds a damaged blob, says whose it is, and removes it`(jobs: Int) async throws {
        let blob = fixture.image.layers[0].blob
        let zeros = String(repeating: "\0", count: Int(blob.size))
        try write(zeros, to: fixture.path(blob.digest))
        let problems = try await StoreCheck(fixture.store).problems(jobs: jobs)
        #expect(problems.map(\.subject) == [.blob(blob.digest)])
        #expect(problems.map(\.finding) == [.wrongDigest])
        #expect(
            problems[0].images
                == ["docker.io/library/image:latest", "docker.io/library/other:latest"])
        #expect(problems[0].isDamage)
        #expect(problems[0].remedy.contains("lichen store check --mend"))
        #expect(try StoreCheck(fixture.store).mend(problems) == [])
        #expect(try fixture.store.size(ofBlob: blob.digest) == nil)
        // Now it is only not here, as in an image that nobody pulled whole.
        let after = try await StoreCheck(fixture.store).problems(jobs: jobs)
        #expect(after.map(\.isDamage) == [false])
    }

    @Test func `finds a blob of the wrong length once`() async throws {
        try write("short", to: fixture.path(fixture.image.layers[1].blob.digest))
        #expect(try await StoreCheck(fixture.store).problems(jobs: 2).count == 1)
    }

    @Test func `finds a missing manifest and a missing config`() async throws {
        try fixture.store.removeBlob(fixture.other.manifest.digest)
        let config = try Manifest(decoding: fixture.image.manifestBytes).config.digest
        try fixture.store.removeBlob(config)
        let problems = try await StoreCheck(fixture.store).problems(jobs: 2)
        #expect(
            Set(problems.map(\.subject)) == [
                .blob(fixture.other.manifest.digest), .blob(config),
            ])
        #expect(problems.allSatisfy { $0.finding == .missing && $0.isDamage })
        #expect(try StoreCheck(fixture.store).mend(problems).count == 2)
        #expect(try fixture.store.images().isEmpty)
        #expect(try await StoreCheck(fixture.store).problems(jobs: 2) == [])
    }

    @Test func `mends nothing while somebody builds`() async throws {
        try write("{}", to: fixture.path(fixture.other.manifest.digest))
        let problems = try await StoreCheck(fixture.store).problems(jobs: 2)
        let visit = try fixture.store.enter()
        #expect(throws: StoreError(.busy, hint: "try again when it has ended")) {
            try StoreCheck(fixture.store).mend(problems)
        }
        _ = consume visit
        let name = "docker.io/library/other:latest"
        #expect(try StoreCheck(fixture.store).mend(problems) == [name])
        #expect(try fixture.store.image(name) == nil)
        #expect(try await StoreCheck(fixture.store).problems(jobs: 2) == [])
    }

    @Test func `finds a damaged listing`() async throws {
        try fixture.exportFiles(fixture.image)
        let diffID = fixture.image.layers[0].diffID
        let path = "\(fixture.store.pathForMessages)/listings/\(diffID.hex)"
        #expect(
            Tool.run(
                "dd", "if=/dev/zero", "of=\(path)", "bs=1", "seek=24", "count=4",
                "conv=notrunc"
            ).status == 0)
        let problems = try await StoreCheck(fixture.store).problems(jobs: 2)
        #expect(problems.map(\.subject) == [.listing(diffID)])
        try StoreCheck(fixture.store).mend(problems)
        try fixture.exportFiles(fixture.image)
        #expect(try await StoreCheck(fixture.store).problems(jobs: 2) == [])
    }

    @Test func `counts a record without its layer as no damage`() async throws {
        try fixture.store.removeBlob(fixture.step.blob.digest)
        let problems = try await StoreCheck(fixture.store).problems(jobs: 2)
        #expect(problems.map(\.subject) == [.step(fixture.key)])
        #expect(problems.map(\.isDamage) == [false])
    }
}

@Suite struct `An image of the store` {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test(arguments: [
        "image", "image:latest", "docker.io/library/image", "docker.io/library/image:latest",
    ])
    func `is found by every spelling of its name`(name: String) throws {
        #expect(try DescribedImage(name, in: fixture.store).exportable == fixture.image)
    }

    @Test func `is found by its digest, alone or behind a repository`() throws {
        let digest = fixture.image.manifest.digest
        for name in ["\(digest)", "elsewhere/x@\(digest)"] {
            #expect(try DescribedImage(name, in: fixture.store).exportable == fixture.image)
        }
    }

    @Test func `is chosen from an index by its platform`() throws {
        func entry(_ image: ExportableImage, _ platform: Platform) -> Descriptor {
            var entry = image.manifest
            entry.platform = platform
            return entry
        }
        let foreign = Platform(os: "linux", architecture: "s390x")
        let bytes = Index(manifests: [
            entry(fixture.other, foreign), entry(fixture.image, .host),
        ]).encoded()
        let index = try fixture.maker.keep(bytes, .index)
        try fixture.store.setImage("docker.io/library/many:latest", to: index)
        let own = try DescribedImage("many", in: fixture.store)
        #expect(own.manifestBytes == fixture.image.manifestBytes)
        let other = try DescribedImage("many", platform: foreign, in: fixture.store)
        #expect(other.manifestBytes == fixture.other.manifestBytes)
        #expect(throws: StoreError.self) {
            try DescribedImage(
                "many", platform: Platform(os: "linux", architecture: "386"), in: fixture.store)
        }
        #expect(
            try ImageListing(of: fixture.store).rows.filter { $0.name.contains("many") }.count == 2)
    }

    @Test(arguments: [
        "nothing", "UPPER", "", "image@sha256:12", "sha256:\(String(repeating: "0", count: 64))",
    ])
    func `that is not there is unknown`(name: String) throws {
        let error = #expect(throws: StoreError.self) {
            try DescribedImage(name, in: fixture.store)
        }
        guard case .unknownImage? = error?.problem else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `whose config is damaged is not loaded`() throws {
        let config = try Manifest(decoding: fixture.image.manifestBytes).config.digest
        try write("{}", to: fixture.path(config))
        #expect(throws: StoreError.self) { try DescribedImage("image", in: fixture.store) }
    }

    @Test func `is listed with its size and time`() throws {
        let rows = try ImageListing(of: fixture.store).rows
        #expect(
            rows.map(\.name) == [
                "docker.io/library/image:latest", "docker.io/library/other:latest",
            ])
        #expect(rows[0].manifest == fixture.image.manifest.digest)
        #expect(rows[0].size == fixture.image.layers.reduce(0) { $0 + $1.blob.size })
        #expect(rows[0].created == Timestamp(secondsSinceEpoch: 1_700_000_000))
        #expect(rows[0].platform == .host)
    }

    @Test func `is listed also when its documents are gone`() throws {
        try fixture.store.removeBlob(fixture.image.manifest.digest)
        let rows = try ImageListing(of: fixture.store).rows
        #expect(rows.count == 2)
        #expect(rows[0].size == nil)
    }

    @Test func `is shown as JSON, the same each time`() throws {
        let image = try DescribedImage("image", in: fixture.store)
        let text = image.inspection(name: "image")
        #expect(text == image.inspection(name: "image"))
        let path = fixture.maker.scratch["inspect.json"]
        try write(text, to: path)
        let digest = Tool.run("jq", "-r", ".digest", path)
        #expect(digest.lines == [fixture.image.manifest.digest.description])
        #expect(Tool.run("jq", "-r", ".config.config.Cmd[0]", path).lines == ["/bin/sh"])
        #expect(Tool.run("jq", ".manifest.layers | length", path).lines == ["2"])
    }
}
