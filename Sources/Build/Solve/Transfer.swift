import Contexts
import Dockerfile
import HTTP
import Layers
import OCI

/// What COPY and ADD have in common, expanded.
struct Transfer: Sendable {
    /// A file that stands in the Dockerfile.
    struct Text: Codable, Sendable {
        var name: String
        var content: String
    }

    /// `Dockerfile:12`'s number, for notices.
    var line = 0
    var isAdd: Bool
    /// A RUN comes later: it needs the files as a tree.
    var isForRun = false
    var sources: [String]
    /// They come after the other sources.
    var texts: [Text] = []
    var destination: String
    var owner: String?
    var mode: String?
    var excludes: [String] = []
    var keepsParents = false
    var isLinked: Bool
    var checksum: String?
    /// What `--unpack` says; nil if it says nothing.
    var unpacks: Bool?
    /// What `--keep-git-dir` says; nil if it says nothing.
    var keepsGitDirectory: Bool?

    var createdBy: String {
        CreatedBy.copy(
            isAdd: isAdd, keepsParents: keepsParents, owner: owner, mode: mode, paths: sources,
            heredocs: texts.map(\.name), destination: destination)
    }

    /// Whether archives among local files are unpacked. Dockerfile reference, "ADD --unpack".
    var unpacksLocalArchives: Bool { unpacks ?? isAdd }
    var unpacksRemoteArchives: Bool { unpacks ?? false }
}

/// The words of a COPY or ADD with their patterns compiled, for the builder and for its worker.
struct CopyPatterns {
    var words: [CopyWord]
    var excludes: IgnoreFile?

    init(_ sources: [String], keepsParents: Bool, excludes patterns: [String]) throws(BuildError) {
        do throws(PatternError) {
            words = []
            for source in sources {
                words.append(
                    keepsParents ? try CopyWord(keepingParents: source) : CopyWord(source))
            }
            let rules = try IgnoreFile(patterns: patterns)
            excludes = rules.isEmpty ? nil : rules
        } catch { throw BuildError(.input, error.description) }
    }
}

extension Transfer.Text {
    /// The file as COPY takes it. Dockerfile reference, "Here-documents".
    func source(now: Int64) -> FileSource {
        FileSource(
            .text(Array(content.utf8)), name: name, permissions: 0o644, modified: now)
    }

    func selection(now: Int64) -> CopySelection {
        CopySelection(source(now: now), word: "<<" + name)
    }
}
