import Contexts
import Dockerfile
import Layers
import Limits
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// The commit that an address stands for now.
struct GitCommit: Sendable, Hashable {
    /// What git fetches: a full name of a reference, or the commit's id.
    var reference: String
    var id: String
    /// An annotated tag's own id.
    var tag: String?

    /// Whether `checksum` is the beginning of its id. Dockerfile reference, "ADD --checksum".
    func matches(_ checksum: String) -> Bool {
        !checksum.isEmpty && (id.hasPrefix(checksum) || tag?.hasPrefix(checksum) == true)
    }
}

extension GitAddress {
    /// - Throws: where `checksum` is not the beginning of the commit's id.
    func check(_ commit: GitCommit, is checksum: String) throws(BuildError) {
        if commit.matches(checksum) { return }
        throw BuildError(
            .input,
            "\(description) is the commit \(commit.id), not \(Harmless.text(checksum, limit: 100))",
            hint: "the branch or the tag has moved, or is another than was meant")
    }
}

/// A commit's files in a work area.
final class GitCheckout: Sendable {
    private let area: WorkArea
    private let address: GitAddress
    private let git: GitProcess
    private let tree: String
    /// Where the files have the time of the commit.
    private let commitTime = Mutex<Int64?>(nil)

    /// Nothing is fetched yet.
    init(_ address: GitAddress, in store: Store, secrets: RemoteSecrets) throws {
        self.address = address
        let login = try secrets.authorization(forRepository: address.remote)
        area = try store.newWorkArea()
        // The area belongs to this process alone, so that its name can't be taken over meanwhile.
        let link = "/proc/self/fd/\(area.directory.borrowed.rawValue)"
        let path = try FileDescriptor.workingDirectory.readLink(link.utf8)
        let home = String(decoding: path, as: UTF8.self)
        git = GitProcess(home: home, login: login.map { (address: address.remote, value: $0) })
        tree = home + "/tree"
    }

    /// Takes the files away. What stays is swept up by a later build.
    func remove() { try? area.remove() }

    /// Asks the server what the address means; a whole commit id needs no answer.
    ///
    /// - Throws: `BuildError`, also where it is another commit than the address says.
    func resolve() async throws -> GitCommit {
        let commit = try await found()
        if let checksum = address.checksum { try address.check(commit, is: checksum) }
        return commit
    }

    private func found() async throws -> GitCommit {
        if let commit = address.commit { return GitCommit(reference: commit, id: commit) }
        let wanted = address.reference ?? "HEAD"
        let answer = try await git.run(
            ["ls-remote", "--", address.remote, wanted, wanted + "^{}"], limit: Limit.gitNames)
        var known: [String: String] = [:]
        for line in answer.split(separator: "\n") {
            let words = line.split(separator: "\t").map(String.init)
            if words.count == 2, GitAddress.isCommit(words[0]) { known[words[1]] = words[0] }
        }
        // A branch comes before a tag of its name, as with git itself.
        for name in [wanted, "refs/heads/" + wanted, "refs/tags/" + wanted] {
            guard let id = known[name] else { continue }
            guard let commit = known[name + "^{}"] else {
                return GitCommit(reference: name, id: id)
            }
            return GitCommit(reference: name, id: commit, tag: id)
        }
        throw BuildError(.input, "\(address.remote) has no branch and no tag \(wanted)")
    }

    /// Fetches the commit and gives its files.
    ///
    /// - Parameter keepsRepository: whether `.git` is one of them.
    func source(
        of commit: GitCommit, keepsRepository: Bool, now: Int64
    ) async throws -> any CopySource {
        try await bring(commit)
        return try source(keepsRepository: keepsRepository, filter: nil, now: now)
    }

    /// Fetches the commit's files, with those of the repositories within it.
    func bring(_ commit: GitCommit) async throws {
        try await fetch(commit)
        try await inTree(["checkout", "--quiet", "--detach", commit.id])
        if address.hasSubmodules { try await updateSubmodules() }
        if address.keepsCommitTime {
            let text = try await git.run(["-C", tree, "show", "-s", "--format=%ct", commit.id])
            commitTime.withLock { $0 = Int64(text.filter { !$0.isWhitespace }) }
        }
    }

    /// The directory that the address means; the files are there.
    func directory() throws -> OwnedDescriptor { try open(address.directory) }

    /// The files that are there.
    func source(
        keepsRepository: Bool, filter: (any PathFilter)?, now: Int64
    ) throws -> any CopySource {
        var filters = [filter].compactMap { $0 }
        if !keepsRepository { filters.append(try IgnoreFile(patterns: ["**/.git"])) }
        return GitTree(
            DirectorySource(try directory(), filter: AllFilters(filters)),
            now: commitTime.withLock { $0 } ?? now)
    }

    private func fetch(_ commit: GitCommit) async throws {
        try await git.run(["init", "--quiet", tree])
        try await inTree(["remote", "add", "origin", address.remote])
        let all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        do {
            try await inTree([
                "fetch", "--quiet", "--depth=1", "--no-tags", "origin", commit.reference,
            ])
        } catch is BuildError {
            // Not every server gives a part of a history, or a commit that no reference names.
            let wanted = commit.reference == commit.id ? all : [commit.reference]
            try await inTree(["fetch", "--quiet", "--no-tags", "origin"] + wanted)
        }
        do { try await inTree(["cat-file", "-e", commit.id + "^{commit}"]) } catch is BuildError {
            throw BuildError(
                .network, "\(address.description) is another commit than it was a moment ago",
                hint: "build again")
        }
    }

    /// Repositories within the repository. BuildKit, "submodules are fetched recursively".
    private func updateSubmodules() async throws {
        let root = try open("")
        guard try root.borrowed.statusIfPresent(of: ".gitmodules".utf8) != nil else { return }
        let update = ["submodule", "--quiet", "update", "--init", "--recursive"]
        do { try await inTree(update + ["--depth=1"]) } catch is BuildError {
            try await inTree(update)
        }
    }

    private func inTree(_ arguments: [String]) async throws {
        try await git.run(["-C", tree] + arguments)
    }

    private func open(_ directory: String) throws -> OwnedDescriptor {
        let root = try FileDescriptor.workingDirectory.open(
            tree, [.readOnly, .directory], resolve: .system)
        if directory.isEmpty { return root }
        do throws(Errno) {
            // Without links: a directory of the repository, and nothing that it points to.
            return try root.borrowed.open(directory, [.readOnly, .directory], resolve: .noLinks)
        } catch {
            throw BuildError(
                .input, "\(address.description) has no directory \(directory): \(error.inWords)")
        }
    }
}

/// Sees what each of several filters lets through.
private struct AllFilters: PathFilter {
    private let filters: [any PathFilter]

    init(_ filters: [any PathFilter]) { self.filters = filters }

    func includes(_ path: [UInt8]) -> Bool { filters.allSatisfy { $0.includes(path) } }

    func mayInclude(below directory: [UInt8]) -> Bool {
        filters.allSatisfy { $0.mayInclude(below: directory) }
    }
}

/// A commit's files, with the modes that git keeps, whatever this process's umask is.
///
/// Dockerfile reference: "the permissions bits for files are 644. If a file in the repository has the executable bit set, it
/// will have permissions set to 755. Directories have permissions set to 755."
private final class GitTree: CopySource {
    let origin = CopyOrigin.context
    private let files: DirectorySource
    private let now: Int64

    init(_ files: DirectorySource, now: Int64) {
        self.files = files
        self.now = now
    }

    /// A checkout changes no more.
    var isFixed: Bool { true }

    func status(of path: TreePath) throws(SystemError) -> FileStatus? {
        try files.status(of: path).map(normalised)
    }

    func children(of directory: TreePath) throws(SystemError) -> [SourceChild] {
        try files.children(of: directory).map {
            SourceChild(name: $0.name, status: normalised($0.status))
        }
    }

    func linkTarget(of path: TreePath) throws(SystemError) -> [UInt8] {
        try files.linkTarget(of: path)
    }
    func attributes(of path: TreePath) -> [ExtendedAttribute] { [] }
    func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor { try files.open(path) }

    private func normalised(_ status: FileStatus) -> FileStatus {
        var status = status
        let isExecutable = status.kind == .directory || status.permissions & 0o100 != 0
        status.permissions = isExecutable ? 0o755 : 0o644
        status.modified = FileTime(seconds: now)
        return status
    }
}
