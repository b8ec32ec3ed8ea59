import FoundationEssentials
import TestSupport
import Testing

/// One case of the corpus of all that is not in the one of COPY and ADD: a whole Dockerfile, and the image that comes of it or
/// why there is none.
///
///     = the name, a sentence
///     # the sentence of the specification that it and those below it come from
///     ~ the row of the language's features that it shows
///     | a line of the Dockerfile; ␍ stands for a carriage return, ⟨BOM⟩ for a byte order mark
///     + a file of the context, as in the corpus of COPY
///     @ a line of the Dockerfile of the image `made`
///     ^ where the Dockerfile is: a path of the context, - for standard input, URL
///     $ options of the command
///     * NAME=value of its environment
///     > a file of the image, as in the corpus of COPY; or a key of its config and the value as JSON
///     - a path that the image does not have
///     ? words that the progress has
///     ! words of the error
///
/// In Dockerfile and options SERVER is a server's host and port, REPO a repository behind it, PRIVATE one that wants a token,
/// AGENT a socket, CONTEXT the context's path.
struct WholeCase: Sendable, CustomTestStringConvertible {
    var group: String
    var name: String
    var source: String
    private var lines: [Character: [String]] = [:]

    var testDescription: String { "\(group): \(name)" }

    var rows: [String] { self["~"] }
    var context: [String] { self["+"] }
    var place: String? { self["^"].first }
    var options: [String] { self["$"].flatMap { $0.split(separator: " ").map(String.init) } }
    var expected: [String] { self[">"] }
    var gone: [String] { self["-"] }
    var said: [String] { self["?"] }
    var errors: [String] { self["!"] }
    var dockerfile: String { Self.text(self["|"]) }
    /// Nil where the case needs no image of its own.
    var base: String? { self["@"].isEmpty ? nil : Self.text(self["@"]) }

    var environment: [String: String] {
        var result: [String: String] = [:]
        for line in self["*"] {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            result[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return result
    }

    private subscript(kind: Character) -> [String] { lines[kind] ?? [] }

    private static func text(_ lines: [String]) -> String {
        (lines.joined(separator: "\n") + "\n").replacing("␍", with: "\r").replacing(
            "⟨BOM⟩", with: "\u{FEFF}")
    }

    // MARK: - Changes

    /// The same with other lines in the Dockerfile, under another name, and with cache mounts of its own.
    func rewritten(_ body: (String) -> String) -> WholeCase {
        var result = self
        result.lines["|"] = self["|"].map(body)
        result.name += " (changed)"
        result.lines["$", default: []].append(
            "--build-arg BUILDKIT_CACHE_MOUNT_NS=\(UInt64.random(in: 0...UInt64.max))")
        return result
    }

    // MARK: - Reading

    private static let folder = TestHost.sources + "/Tests/LanguageCorpusTests/Whole"

    static let all: [WholeCase] = {
        // Without its data there is nothing to test: the first test says so.
        (try? load()) ?? []
    }()

    /// Every row of the language's features, each of which has a case.
    static let knownRows: [String] = {
        let text = (try? Data(contentsOf: URL(filePath: folder + "/rows"))) ?? Data()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }()

    private static func load() throws -> [WholeCase] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return try names.filter { $0.hasSuffix(".txt") }.sorted().flatMap { name in
            let data = try Data(contentsOf: URL(filePath: folder + "/" + name))
            return try parse(
                String(decoding: data, as: UTF8.self), group: String(name.dropLast(4)))
        }
    }

    private static func parse(_ text: String, group: String) throws -> [WholeCase] {
        var cases: [WholeCase] = []
        var source = ""
        for line in text.split(separator: "\n").map(String.init) {
            let rest = String(line.dropFirst(2))
            switch line.first {
            case "=": cases.append(WholeCase(group: group, name: rest, source: source))
            case "#": source = rest
            case let kind? where "~|+@^$*>-?!".contains(kind) && !cases.isEmpty:
                cases[cases.count - 1].lines[kind, default: []].append(rest)
            default: throw TestSupportError("\(group): what is \(line)")
            }
        }
        return cases
    }

    private init(group: String, name: String, source: String) {
        self.group = group
        self.name = name
        self.source = source
    }
}
