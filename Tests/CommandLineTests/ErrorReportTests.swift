import ArgumentParser
import Build
import Linux
import OCI
import Store
import SystemPackage
import Testing

@testable import lichen

@Suite struct `An error` {
    @Test func `is one line, the excerpt and the hint`() {
        let error = BuildError(
            .input, "unknown instruction RUM", location: "Dockerfile:3",
            excerpt: "  3 | RUM make\n    | ^^^", hint: "did you mean RUN?")
        let report = ErrorReport(error)
        #expect(report.status == 65)
        #expect(
            report.text == """
                error: Dockerfile:3: unknown instruction RUM
                  3 | RUM make
                    | ^^^
                hint: did you mean RUN?
                """)
    }

    @Test func `never drives the terminal`() {
        let error = BuildError(
            .instruction, "a\u{1B}[2J\nb", excerpt: "\u{1B}]0;x\u{07}c", hint: "\u{9B}31md")
        #expect(ErrorReport(error).text == "error: a b\nc\nhint: d")
    }

    @Test func `has the status of its kind`() {
        let table: [(any Error, Int32)] = [
            (BuildError(.instruction, ""), 1), (BuildError(.network, ""), 69),
            (BuildError(.bug, ""), 70), (BuildError(.host, ""), 71),
            (BuildError(.storage, ""), 74), (CancellationError(), 130),
            (StoreError(.unknownImage("x")), 65), (StoreError(.busy), 74),
            (SystemError("open it", .noSpace), 74), (ValidationError("x"), 64),
        ]
        for (error, status) in table { #expect(ErrorReport(error).status == status) }
    }

    @Test func `by a signal has the status that a shell gives it`() {
        #expect(ErrorReport(signal: 2).status == 130)
        #expect(ErrorReport(signal: 15).text == "error: interrupted")
    }

    @Test func `that nobody foresaw is named by its type, not dumped`() {
        struct Strange: Error { var secret = "hunter2" }
        let report = ErrorReport(Strange())
        #expect(report.status == 70)
        #expect(report.message == "an unforeseen Strange")
    }
}

@Suite struct `The files of a result` {
    private let result = BuildResult(
        manifest: Descriptor(mediaType: .manifest, digest: someDigest, size: 7),
        config: someDigest, stepCount: 3, cachedCount: 1, downloadedBytes: 1000, uploadedBytes: 0)

    @Test func `have the keys of buildx`() throws {
        let names = try ["a", "b:1"].map { try Reference(parsing: $0) }
        let text = String(decoding: try Metadata(result, tags: names).encoded(), as: UTF8.self)
        #expect(text.contains("\"containerimage.config.digest\" : \"\(someDigest)\""))
        #expect(text.contains("\"containerimage.digest\" : \"\(someDigest)\""))
        #expect(text.contains("\"containerimage.descriptor\""))
        #expect(
            text.contains("\"image.name\" : \"docker.io/library/a:latest,docker.io/library/b:1\""))
        let unnamed = String(decoding: try Metadata(result, tags: []).encoded(), as: UTF8.self)
        #expect(!unnamed.contains("image.name"))
    }

    @Test func `replace what is there, and leave nothing else`() throws {
        let here = FileDescriptor.workingDirectory
        let folder = "/tmp/lichen-result-\(randomName())"
        try here.makeDirectory(folder.utf8, mode: 0o700)
        defer { try? removeTree(folder.utf8, in: here) }
        for text in ["first", "second"] {
            try ResultFiles.replace("\(folder)/id", with: Array(text.utf8))
            let file = try here.open("\(folder)/id", .readOnly, resolve: .system)
            #expect(try file.borrowed.readAll(limit: 100) == Array(text.utf8))
        }
        let directory = try here.open(folder, [.readOnly, .directory], resolve: .system)
        let names = try DirectoryReader().names(in: directory.borrowed)
        #expect(names.map { String(decoding: $0, as: UTF8.self) } == ["id"])
    }

    @Test func `are an error of storage where they can't be written`() {
        let error = #expect(throws: BuildError.self) {
            try ResultFiles.replace("/proc/nowhere/id", with: [])
        }
        #expect(error?.category == .storage)
    }

    @Test func `and a summary`() {
        var summary = Summary(result)
        summary.seconds = 4.2
        #expect(summary.text == "3 steps, 1 cached, 1.0 kB down, 0 B up, 4.2s")
        summary.memoryBytes = 45_200_000
        #expect(summary.text.hasSuffix(", 4.2s, peak memory 45.2 MB"))
        summary.weaker = ["metadata", "idmap.range"]
        #expect(summary.text.hasSuffix(" MB; weaker than the default: metadata, idmap.range"))
        #expect(Summary(someDigest).text == "0 B down, 0 B up, 0.0s")
    }

    @Test func `and what it took of memory`() throws {
        let bytes = try #require(PeakMemory.bytes())
        #expect((1_000_000...100_000_000_000).contains(bytes))
    }
}
