import Contexts
import HTTP
import Layers
import Linux
import OCI

/// A part of what a COPY or ADD takes: what it is for the cache, and the files themselves, which only a step that runs needs.
struct CopyPart: Sendable {
    /// Stands for names, kinds, modes and bytes; never for times.
    var key: Digest
    var selection: @Sendable () async throws -> CopySelection

    /// The parts of an instruction, in the order in which they are copied: its sources, then the texts of the Dockerfile.
    static func parts(
        of transfer: Transfer, _ source: any CopySource, _ session: BuildSession
    ) async throws -> [CopyPart] {
        let sources = try transfer.sources.map { try AddSource($0, transfer) }
        try checkChecksum(of: transfer, sources)
        var parts: [CopyPart] = []
        var paths: [String] = []
        for item in sources {
            if case .path(let path) = item {
                paths.append(path)
                continue
            }
            if !paths.isEmpty { parts.append(try await files(paths, transfer, source, session)) }
            paths = []
            switch item {
            case .url(let url): parts.append(try await remote(url, transfer, session))
            case .git(let address):
                parts.append(try await repository(address, transfer, session))
            case .path: break
            }
        }
        if !paths.isEmpty { parts.append(try await files(paths, transfer, source, session)) }
        let now = session.now.secondsSinceEpoch
        return parts + transfer.texts.map { CopyPart($0.selection(now: now)) }
    }

    /// What is at hand as a whole.
    private init(_ selection: CopySelection) {
        key = selection.digest
        self.selection = { selection }
    }

    private init(key: Digest, selection: @escaping @Sendable () async throws -> CopySelection) {
        self.key = key
        self.selection = selection
    }

    // MARK: - Files of a directory

    private static func files(
        _ paths: [String], _ transfer: Transfer, _ source: any CopySource,
        _ session: BuildSession
    ) async throws -> CopyPart {
        let patterns = try CopyPatterns(
            paths, keepsParents: transfer.keepsParents, excludes: transfer.excludes)
        let (digests, unpacks) = (session.digests(of: source), transfer.unpacksLocalArchives)
        let selection = try await blocking {
            var selection = try CopySelection(
                patterns.words, in: source, excludes: patterns.excludes, digests: digests)
            selection.unpacksArchives = unpacks
            return selection
        }
        for notice in selection.notices {
            session.observer(.warning("\(transfer.line): \(notice)"))
        }
        var part = CopyPart(selection)
        part.key = key("files", selection.digest, unpacks: unpacks)
        return part
    }

    // MARK: - Files of the network

    private static func remote(
        _ url: HTTPURL, _ transfer: Transfer, _ session: BuildSession
    ) async throws -> CopyPart {
        let expected = try transfer.checksum.map { text in
            guard let digest = Digest(text) else {
                throw BuildError(
                    .input, "--checksum=\(text) is no checksum of a file",
                    hint: "sha256: and 64 lower-case digits, as sha256sum prints them")
            }
            return digest
        }
        let unpacks = transfer.unpacksRemoteArchives
        // What is expected needs no network where the step is known already.
        let digest =
            if let expected { expected } else { try await session.remote.file(at: url).digest }
        return CopyPart(key: key("URL " + url.fileName, digest, unpacks: unpacks)) {
            let file = try await session.remote.file(at: url)
            if let expected, file.digest != expected {
                throw BuildError(
                    .input, "\(url.redacted) has the digest \(file.digest), not \(expected)",
                    hint: "the file has changed, or is another than was meant")
            }
            return CopySelection(
                file.source(named: url.fileName, in: session.store), word: url.redacted,
                unpacksArchives: unpacks)
        }
    }

    // MARK: - Repositories

    private static func repository(
        _ address: GitAddress, _ transfer: Transfer, _ session: BuildSession
    ) async throws -> CopyPart {
        let checkout = try session.checkout(of: address)
        let commit = try await checkout.resolve()
        if let checksum = transfer.checksum { try address.check(commit, is: checksum) }
        let keeps = transfer.keepsGitDirectory ?? address.keepsGitDirectory ?? false
        var key = CacheKey("git")
        // With the repository itself its address and the reference are files, too.
        if keeps { key.add(address.remote + " " + commit.reference) }
        key.add(commit.id)
        key.add(address.directory)
        if !address.hasSubmodules { key.add("without submodules") }
        if address.keepsCommitTime { key.add("times of the commit") }
        key.add(transfer.excludes)
        let patterns = try CopyPatterns(["."], keepsParents: false, excludes: transfer.excludes)
        let now = session.now.secondsSinceEpoch
        return CopyPart(key: key.finish()) {
            let source = try await checkout.source(of: commit, keepsRepository: keeps, now: now)
            return try await blocking {
                try CopySelection(patterns.words, in: source, excludes: patterns.excludes)
            }
        }
    }

    private static func checkChecksum(of transfer: Transfer, _ sources: [AddSource]) throws {
        guard transfer.checksum != nil else { return }
        if sources.count + transfer.texts.count != 1 {
            throw BuildError(.input, "--checksum is for one source alone")
        }
        if case .path(let path)? = sources.first {
            throw BuildError(
                .input, "--checksum is for files of the network, not for \(path)",
                hint: "files of the context are known by their bytes anyway")
        }
    }

    private static func key(_ kind: String, _ digest: Digest, unpacks: Bool) -> Digest {
        var key = CacheKey("part of a copy")
        key.add(kind)
        key.add(digest)
        key.add(unpacks ? "unpack" : "")
        return key.finish()
    }

    /// Refuses what COPY would take for a path although it is a URL.
    static func checkIsPath(_ source: String) throws(BuildError) {
        if AddSource.isRemote(source) {
            throw BuildError(
                .input, "COPY takes no URLs: \(source)", hint: "ADD does")
        }
    }
}
