import Layers
import OCI

/// A git repository as ADD names it: `https://host/repo.git#ref:directory`, `git@host:repo.git`, `ssh://…` or `git://…`; or with a
/// query that says the same and more, `https://host/repo.git?branch=main&subdir=docs`.
///
/// Dockerfile reference, "Adding files from a Git repository"; BuildKit's context documentation, "URL fragments" and "URL queries".
struct GitAddress: Hashable, Sendable {
    /// What git is given.
    var remote: String
    /// A branch, a tag, a full name of a reference or a whole commit id; nil for what the repository's HEAD names.
    var reference: String?
    /// The directory whose files are meant; the root is all of them.
    var directory = ""
    /// What the commit's id has to begin with.
    var checksum: String?
    /// Whether `.git` is one of the files; nil where the address says nothing.
    var keepsGitDirectory: Bool?
    /// Whether the repositories within it are fetched, too.
    var hasSubmodules = true
    /// Whether the files have the time of their commit, in place of the time at which they are fetched.
    var keepsCommitTime = false
    /// Whether `checksum` is what is fetched, whatever the reference means by now.
    var fetchesByCommit = false

    /// - Throws: `BuildError` for what git could take for something else than an address.
    init(_ text: String) throws(BuildError) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let address = parts[0].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        remote = String(address[0])
        let fragment = parts.count > 1 ? parts[1] : ""
        let pieces = fragment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        reference = pieces.first.flatMap { $0.isEmpty ? nil : String($0) }
        directory = Self.cleaned(pieces.count > 1 ? pieces[1] : "")
        if address.count > 1 { try read(GitQuery(address[1])) }
        try check()
    }

    /// The id of the commit, where the address says it.
    var commit: String? {
        if fetchesByCommit { return checksum }
        return reference.flatMap { Self.isCommit($0) ? $0 : nil }
    }

    /// For messages.
    var description: String { remote + (reference.map { "#" + $0 } ?? "") }

    static func cleaned(_ path: some StringProtocol) -> String {
        let path = TypedPath(Array(path.utf8)).components
        return String(decoding: Array(path.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
    }

    /// What the query says, beside what the fragment said.
    private mutating func read(_ query: GitQuery) throws(BuildError) {
        if let wanted = query.reference {
            if let reference, reference != wanted {
                throw Self.contradiction("references, \(reference) and \(wanted)")
            }
            reference = wanted
        }
        if let wanted = query.directory {
            if !directory.isEmpty, directory != wanted {
                throw Self.contradiction("directories, \(directory) and \(wanted)")
            }
            directory = wanted
        }
        checksum = query.checksum
        keepsGitDirectory = query.keepsGitDirectory
        hasSubmodules = query.hasSubmodules
        keepsCommitTime = query.keepsCommitTime
        fetchesByCommit = query.fetchesByCommit
    }

    private static func contradiction(_ what: String) -> BuildError {
        BuildError(
            .input, "the address of the git repository names two \(Harmless.text(what, limit: 300))"
        )
    }

    private func check() throws(BuildError) {
        if remote.hasPrefix("http"), remote.contains("@") {
            throw BuildError(.input, "the address of the git repository has a user or a password")
        }
        let isClean = (remote + (reference ?? "")).unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7f
        }
        if !isClean || reference?.hasPrefix("-") == true || reference?.contains("..") == true {
            throw BuildError(.input, "no address of a git repository")
        }
        if fetchesByCommit, !(checksum.map { Self.isCommit($0) } ?? false) {
            throw BuildError(
                .input,
                "fetch-by-commit in the address of a git repository needs a whole commit id",
                hint: "as in ?fetch-by-commit=true&commit=ID")
        }
    }

    static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
