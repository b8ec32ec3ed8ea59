import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Another builder's word on the corpus; scripts/judge-copy asks for it.
///
/// Its known deviations stand in `Copy/buildah.deviations`, each with a reason. A case that is not there has to come out the same,
/// and one that is there has to differ: the list is neither longer nor shorter than the truth.
@Suite(.enabled(if: getenv("LICHEN_JUDGE") != nil, "scripts/judge-copy asks for it"))
struct `The corpus, as buildah builds it` {
    private static let runner = try? CorpusRunner(BuildahBuilder())
    private static let deviations = (try? Deviations()) ?? Deviations(groups: [:], cases: [:])

    private static let judged = CorpusCase.all.filter { deviations.groups[$0.group] == nil }

    @Test func `has deviations of cases that there are`() {
        let names = Set(Self.judged.map(\.testDescription))
        for name in Self.deviations.cases.keys.sorted() {
            #expect(names.contains(name), "\(name)")
        }
    }

    @Test(arguments: judged)
    func `agrees, but where it is known not to`(item: CorpusCase) async throws {
        let runner = try #require(Self.runner)
        let result = try await aside { try runner.run(item) }
        let agrees =
            item.error != nil
            ? result.error != nil
            : result.error == nil && result.files.sorted() == item.expected.sorted()
                && result.gone == item.gone
        let isKnown = Self.deviations.cases[item.testDescription] != nil
        #expect(agrees != isKnown, "\(item): \(result)")
    }
}

/// Where a builder is known to differ: whole groups `group *: reason`, or cases `group: name = reason`.
private struct Deviations {
    var groups: [String: String]
    var cases: [String: String]

    init(groups: [String: String], cases: [String: String]) {
        self.groups = groups
        self.cases = cases
    }

    init() throws {
        self.init(groups: [:], cases: [:])
        let path = TestHost.sources + "/Tests/LanguageCorpusTests/Copy/buildah.deviations"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if let end = line.firstRange(of: " *: ") {
                groups[String(line[..<end.lowerBound])] = String(line[end.upperBound...])
            } else if let end = line.firstRange(of: " = ") {
                cases[String(line[..<end.lowerBound])] = String(line[end.upperBound...])
            } else {
                throw TestSupportError("no deviation: \(line)")
            }
        }
    }
}

/// buildah without root, which needs no RUN for the corpus.
private struct BuildahBuilder: CorpusBuilder {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    func makeImage(_ name: String, ofTar tar: String, in place: String) throws {
        let dockerfile = place + "/Dockerfile"
        try Data("FROM scratch\nADD base.tar /\n".utf8).write(to: URL(filePath: dockerfile))
        try command(["bud", "--isolation", "chroot", "-t", name, place]).run().required()
    }

    func build(_ file: String, context: String, to tar: String) throws -> Command.Outcome {
        try command([
            "bud", "--isolation", "chroot", "--pull-never", "-f", file, "-o",
            "type=tar,dest=" + tar, context,
        ]).run()
    }

    private func command(_ arguments: [String]) -> Command {
        let store = [
            "--storage-driver", "vfs", "--root", folder.path("store"), "--runroot",
            folder.path("run"),
        ]
        var command = Command(["buildah"] + store + arguments)
        command.environment = ["HOME": folder.path, "XDG_RUNTIME_DIR": folder.path]
        return command
    }
}
