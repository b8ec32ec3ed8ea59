import FoundationEssentials
import TestSupport
import Testing

/// One case of the corpus: what is there, what the Dockerfile says, and what the image holds or why there is none.
///
///     = the name, a sentence
///     # the sentence of the specification that it comes from
///     + a file of the context
///     @ a file of the image that the instructions start from
///     % a file of another image, named src
///     COPY and other instructions
///     > a file of the image that was not there, or not so, before
///     - a path of the image that is gone
///     ! words of the error
struct CorpusCase: Sendable, CustomTestStringConvertible {
    var group: String
    var name: String
    var source: String
    var context: [String] = []
    var base: [String] = []
    var other: [String] = []
    var instructions: [String] = []
    var expected: [String] = []
    var gone: [String] = []
    var error: String?

    var testDescription: String { "\(group): \(name)" }

    static let all: [CorpusCase] = {
        // Without its data there is nothing to test: the first test says so.
        (try? load()) ?? []
    }()

    private static var folder: String { TestHost.sources + "/Tests/LanguageCorpusTests/Copy" }

    private static func load() throws -> [CorpusCase] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return try names.filter { $0.hasSuffix(".txt") }.sorted().flatMap { name in
            let data = try Data(contentsOf: URL(filePath: folder + "/" + name))
            return parse(String(decoding: data, as: UTF8.self), group: String(name.dropLast(4)))
        }
    }

    private static func parse(_ text: String, group: String) -> [CorpusCase] {
        var cases: [CorpusCase] = []
        // A sentence stands for all cases up to the next one.
        var source = ""
        // Inside of a here-document every line is text.
        var ends: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if !ends.isEmpty {
                cases[cases.count - 1].instructions.append(line)
                if line.trimmingPrefix(while: { $0 == "\t" }) == ends[0] { ends.removeFirst() }
                continue
            }
            if line.isEmpty { continue }
            let rest = String(line.dropFirst(2))
            if line.hasPrefix("= ") {
                cases.append(CorpusCase(group: group, name: rest, source: source))
                continue
            }
            if line.hasPrefix("# ") {
                source = rest
                continue
            }
            let last = cases.count - 1
            switch line.prefix(2) {
            case "+ ": cases[last].context.append(rest)
            case "@ ": cases[last].base.append(rest)
            case "% ": cases[last].other.append(rest)
            case "> ": cases[last].expected.append(rest)
            case "- ": cases[last].gone.append(rest)
            case "! ": cases[last].error = rest
            default:
                cases[last].instructions.append(line)
                ends = hereDocuments(in: line)
            }
        }
        return cases
    }

    private static func hereDocuments(in line: String) -> [String] {
        line.split(separator: " ").compactMap { word in
            guard word.hasPrefix("<<") else { return nil }
            return word.dropFirst(2).trimmingPrefix("-").filter { $0 != "\"" && $0 != "'" }
        }
    }
}
