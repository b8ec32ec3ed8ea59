import Archive
import Contexts
import Dockerfile
import HTTP
import Linux
import Store
import Synchronization
import SystemPackage

/// Brings the contexts of a build to this machine, until the build has ended.
final class ContextFetcher: Sendable {
    /// A build argument of BuildKit's by which the context's `.git` is one of its files.
    static let keepGitArgument = "BUILDKIT_CONTEXT_KEEP_GIT_DIR"

    private let store: Store
    private let remote: RemoteFiles
    private let archives: ArchiveReaderClient
    private let keepsGitDirectory: Bool
    private let now: Int64
    private let secrets: RemoteSecrets
    private let fetched = Mutex<[ContextFiles]>([])

    init(
        _ request: BuildRequest, store: Store, remote: RemoteFiles, archives: ArchiveReaderClient
    ) {
        self.store = store
        self.archives = archives
        self.remote = remote
        let keeps = request.buildArguments[Self.keepGitArgument] ?? ""
        keepsGitDirectory = ["1", "t", "true"].contains(keeps.lowercased())
        secrets = RemoteSecrets(request.secrets)
        now = request.sourceDateEpoch ?? wallClockSeconds()
    }

    /// The files of the context; a directory stays where it is.
    func files(of context: BuildRequest.Context) async throws -> ContextFiles {
        let files: ContextFiles
        switch context {
        case .directory(let path): return ContextFiles(directory: path)
        case .standardInput:
            files = try await read("standard input") { .standardInput }
        case .remote(let context):
            switch context.place {
            case .git(let address):
                files = try await repository(address, named: context.description)
            case .archive(let url): files = try await archive(url, named: context.description)
            }
        }
        fetched.withLock { $0.append(files) }
        return files
    }

    /// The same for a named context, which is files alone.
    func namedFiles(of context: BuildRequest.Context) async throws -> ContextFiles {
        let files = try await files(of: context)
        if files.dockerfile != nil {
            throw BuildError(
                .input, "the build context \(files.name) is no archive",
                hint: "ADD takes a single file by its URL")
        }
        return files
    }

    /// Takes away what was fetched.
    func removeFiles() {
        for files in fetched.withLock({ $0 }) { files.remove() }
    }

    // MARK: - Repositories

    private func repository(_ address: GitAddress, named name: String) async throws -> ContextFiles
    {
        let checkout = try GitCheckout(address, in: store, secrets: secrets)
        do {
            try await checkout.bring(try await checkout.resolve())
            // Now, while the address is what is talked about.
            _ = try checkout.directory()
        } catch {
            checkout.remove()
            throw error
        }
        return ContextFiles(
            checkout, keepsGitDirectory: address.keepsGitDirectory ?? keepsGitDirectory, now: now,
            name: name)
    }

    // MARK: - Archives

    private func archive(_ url: HTTPURL, named name: String) async throws -> ContextFiles {
        let file = try await remote.file(at: url)
        guard let blob = try store.blob(file.digest) else {
            throw StoreError(.missingBlob(file.digest))
        }
        let shared = SharedDescriptor(blob)
        return try await read(name) { shared.borrowed }
    }

    /// An archive, which is unpacked, or a Dockerfile.
    private func read(
        _ name: String, from descriptor: @escaping @Sendable () -> FileDescriptor
    ) async throws -> ContextFiles {
        let (store, archives, cancellation) = (store, archives, CancellationFlag())
        return try await withTaskCancellationHandler {
            try await blocking {
                let check: @Sendable () throws -> Void = { try cancellation.check() }
                let input = try ContextInput(descriptor(), checkCancellation: check)
                if input.isEmpty {
                    throw BuildError(.input, "\(name): the build context is empty")
                }
                if input.isArchive {
                    return try Self.unpack(name, in: store) {
                        try archives.entries(
                            of: descriptor(), after: input.start, ContextLimits.decompression,
                            checkCancellation: check)
                    }
                }
                // One more than the parser allows, so that it is the parser who says that it is too large.
                let text = try input.text(limit: Limits.fileSize + 1)
                return ContextFiles(dockerfile: text, name: name)
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// What is read of the archive elsewhere becomes files here, as this user.
    private static func unpack(
        _ name: String, in store: Store, _ open: () throws -> any EntryReader
    ) throws -> ContextFiles {
        let area = try store.newWorkArea()
        do {
            try area.directory.borrowed.makeDirectory(ContextFiles.treeName.utf8, mode: 0o700)
            let tree = try area.directory.borrowed.open(
                ContextFiles.treeName, [.readOnly, .directory], resolve: .noLinks)
            let records = try ArchiveUnpacker.unpack(try open(), into: tree.borrowed)
            return ContextFiles(unpackedIn: area, records, name: name)
        } catch {
            try? area.remove()
            if error is CancellationError { throw error }
            var failure = BuildError(any: error)
            if error is ContextArchiveError {
                failure = BuildError(
                    .input, "\(error)",
                    hint: "a context has plain files, directories and links, each named below it")
            }
            failure.message = "unpack the build context of \(name): \(failure.message)"
            throw failure
        }
    }
}
