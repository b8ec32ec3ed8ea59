import Layers
import OCI

/// A git repository as ADD names it: `https://host/repo.git#ref:directory`, `git@host:repo.git`, `ssh://…` or `git://…`.
///
/// Dockerfile reference, "Adding files from a Git repository"; BuildKit's context documentation, "URL fragments".
struct GitAddress: Hashable, Sendable {
    /// What git is given.
    var remote: String
    /// A branch, a tag, a full name of a reference or a whole commit id; nil for what the repository's HEAD names.
    var reference: String?
    /// The directory whose files are meant; the root is all of them.
    var directory: String

    /// - Throws: `BuildError` for what git could take for something else than an address.
    init(_ text: String) throws(BuildError) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        remote = String(parts[0])
        let fragment = parts.count > 1 ? parts[1] : ""
        let pieces = fragment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        reference = pieces.first.flatMap { $0.isEmpty ? nil : String($0) }
        let path = TypedPath(Array((pieces.count > 1 ? pieces[1] : "").utf8)).components
        directory = String(
            decoding: Array(path.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
        try check()
    }

    /// The id of the commit, where the address says it.
    var commit: String? { reference.flatMap { Self.isCommit($0) ? $0 : nil } }

    /// For messages.
    var description: String { remote + (reference.map { "#" + $0 } ?? "") }

    private func check() throws(BuildError) {
        if remote.contains("?") {
            throw BuildError(
                .input, "a query in the address of a git repository is not supported yet",
                hint: "#REF:DIRECTORY after the address says the same")
        }
        if remote.hasPrefix("http"), remote.contains("@") {
            throw BuildError(.input, "the address of the git repository has a user or a password")
        }
        let isClean = (remote + (reference ?? "")).unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7f
        }
        if !isClean || reference?.hasPrefix("-") == true || reference?.contains("..") == true {
            throw BuildError(.input, "no address of a git repository")
        }
    }

    static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
