import Archive
import FoundationEssentials
import Linux
import Synchronization
import SystemPackage
import TestSupport

/// Who carries out the cases: Lichen, or another builder that judges what the corpus says.
protocol CorpusBuilder: Sendable {
    /// Makes an image named `name` of a tar.
    func makeImage(_ name: String, ofTar tar: String, in folder: String) throws
    /// Builds the Dockerfile `file` with a context, and writes the image's files as a tar.
    func build(_ file: String, context: String, to tar: String) throws -> Command.Outcome
}

/// What a builder made of a case.
struct CorpusResult: Equatable {
    var files: [String] = []
    var gone: [String] = []
    /// What the builder said when it refused.
    var error: String?
}

/// Runs cases; images that several of them start from are made once.
final class CorpusRunner: Sendable {
    private let builder: any CorpusBuilder
    private let images = Mutex<[[String]: String]>([:])
    private let folder: TemporaryDirectory

    init(_ builder: any CorpusBuilder) throws {
        self.builder = builder
        folder = try TemporaryDirectory()
    }

    func run(_ item: CorpusCase) throws -> CorpusResult {
        let place = try TemporaryDirectory()
        let context = place.path("context")
        try FileManager.default.createDirectory(
            atPath: context, withIntermediateDirectories: false)
        for line in item.context { try FileLine(line, hasOwner: false).make(in: context) }
        defer { TestHost.remove(context) }
        try place.write("Dockerfile", try dockerfile(item).utf8)
        let tar = place.path("image.tar")
        let outcome = try builder.build(place.path("Dockerfile"), context: context, to: tar)
        guard outcome.isSuccess else { return CorpusResult(error: outcome.error) }
        return try Self.compare(try Self.files(of: tar), with: item.base)
    }

    private func dockerfile(_ item: CorpusCase) throws -> String {
        var lines: [String] = []
        if !item.other.isEmpty { lines.append("FROM \(try image(item.other)) AS src") }
        lines.append("FROM " + (item.base.isEmpty ? "scratch" : try image(item.base)))
        return (lines + item.instructions).joined(separator: "\n") + "\n"
    }

    /// The image that holds these files.
    private func image(_ lines: [String]) throws -> String {
        try images.withLock { images in
            if let known = images[lines] { return known }
            let name = "localhost/corpus/\(images.count):1"
            let place = folder.path("\(images.count)")
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: false)
            let file = place + "/base.tar"
            try Data(try FileLine.archive(lines)).write(to: URL(filePath: file))
            try builder.makeImage(name, ofTar: file, in: place)
            images[lines] = name
            return name
        }
    }

    private static func files(of tar: String) throws -> [FileLine] {
        let file = try FileDescriptor.workingDirectory.open(tar, .readOnly, resolve: .system)
        let reader = TarReader(DescriptorSource(file.borrowed, offset: 0))
        // Of two entries with one path, the later one is what a reader ends with.
        var lines: [String: FileLine] = [:]
        while let entry = try reader.next() {
            let line = FileLine(entry, try reader.data(of: entry, limit: 1 << 20))
            if !line.path.isEmpty && line.path != "." { lines[line.path] = line }
        }
        withExtendedLifetime(file) {}
        return lines.values.sorted()
    }

    private static func compare(_ files: [FileLine], with base: [String]) throws -> CorpusResult {
        let known = Set(try base.map { try FileLine($0, hasOwner: true) })
        let paths = Set(files.map(\.path))
        return CorpusResult(
            files: files.filter { !known.contains($0) }.map(\.text),
            gone: known.map(\.path).filter { !paths.contains($0) }.sorted())
    }
}

/// Lichen itself, with one store for the whole corpus.
struct LichenBuilder: CorpusBuilder {
    let lichen: LichenProgram

    init() throws { lichen = try LichenProgram() }

    func makeImage(_ name: String, ofTar tar: String, in folder: String) throws {
        let dockerfile = folder + "/Dockerfile"
        try Data("FROM scratch\nADD base.tar /\n".utf8).write(to: URL(filePath: dockerfile))
        try lichen.command(["build", "--progress", "plain", "-t", name, folder]).run().required()
    }

    func build(_ file: String, context: String, to tar: String) throws -> Command.Outcome {
        try lichen.command([
            "build", "--progress", "plain", "--pull", "never", "-f", file, "-o",
            "type=tar,dest=" + tar, context,
        ]).run()
    }
}
