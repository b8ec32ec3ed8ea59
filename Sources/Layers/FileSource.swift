import Archive
public import Linux
public import OCI
import SystemPackage

/// One file that is no part of a directory: a text of the Dockerfile, or what was downloaded.
public final class FileSource: CopySource {
    /// Where its bytes are.
    public enum Content: Sendable {
        case text([UInt8])
        /// Opened each time it is read; its bytes never change.
        case blob(Digest, size: UInt64, @Sendable () throws(SystemError) -> OwnedDescriptor)
    }

    public let origin = CopyOrigin.context
    public let isFixed = true
    /// What it is called in a directory; empty for something without a name, which can only be copied to a name.
    let name: [UInt8]
    let status: FileStatus
    private let content: Content

    public init(
        _ content: Content, name: String, permissions: UInt32, modified: Int64
    ) {
        self.content = content
        self.name = Array(name.utf8)
        let size: UInt64 =
            switch content {
            case .text(let bytes): UInt64(bytes.count)
            case .blob(_, let size, _): size
            }
        status = FileStatus(
            fileOf: size, permissions: permissions, modified: FileTime(seconds: modified))
    }

    /// The only path of this source, whatever the file is called.
    static let path = TreePath(unchecked: Array("file".utf8))

    public func status(of path: TreePath) -> FileStatus? { path == Self.path ? status : nil }
    public func children(of directory: TreePath) -> [SourceChild] {
        directory.isRoot ? [SourceChild(name: Self.path.bytes, status: status)] : []
    }
    public func linkTarget(of path: TreePath) -> [UInt8] { [] }
    public func attributes(of path: TreePath) -> [ExtendedAttribute] { [] }

    public func bytes(of path: TreePath) -> [UInt8]? {
        if case .text(let bytes) = content { bytes } else { nil }
    }

    public func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor {
        guard case .blob(_, _, let open) = content else {
            throw SystemError("open /\(printable(path.bytes))", .noSuchFileOrDirectory)
        }
        return try open()
    }

    /// The SHA-256 of its bytes.
    var digest: Digest {
        switch content {
        case .text(let bytes): bytes.withUnsafeBytes { Digest(sha256: SHA256.digest(of: $0)) }
        case .blob(let digest, _, _): digest
        }
    }
}

extension CopySelection {
    /// A selection of one file that is at hand.
    ///
    /// - Parameter word: what messages call it.
    public init(_ file: FileSource, word: String, unpacksArchives: Bool = false) {
        var entry = Entry(path: .root, status: file.status)
        entry.digest = file.digest
        var hash = FramedHash(domain: "lichen copy file 1")
        hash.add(file.name)
        hash.add(file.status.permissions)
        hash.add(file.digest.bytes)
        self.init(
            words: [word], source: file,
            matches: [Match(word: 0, path: FileSource.path, name: file.name, entries: [entry])],
            digest: hash.finish(), notices: [])
        self.unpacksArchives = unpacksArchives
    }
}
