public import Linux
public import OCI

/// Files that COPY and ADD may take: those of a build context, or those of another stage's image.
///
/// Paths are below the source's own root; no function follows a link, neither on the way nor at the end.
public protocol CopySource: Sendable {
    var origin: CopyOrigin { get }

    /// What is at `path`; nil where there is nothing, or nothing that may be seen.
    func status(of path: TreePath) throws(SystemError) -> FileStatus?

    /// What is right below `directory`, sorted by the bytes of the names.
    func children(of directory: TreePath) throws(SystemError) -> [SourceChild]

    func linkTarget(of path: TreePath) throws(SystemError) -> [UInt8]

    /// As they stand in the source; what of it enters a layer is not decided here.
    func attributes(of path: TreePath) throws(SystemError) -> [ExtendedAttribute]

    /// Opens a file for reading. It must be the one whose status was given, or the copy fails as changed.
    func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor

    /// The bytes of a file that lies in memory; nil for one that is opened.
    func bytes(of path: TreePath) -> [UInt8]?

    /// Nothing of it changes while it is read, so that a file needs no second look.
    var isFixed: Bool { get }
}

extension CopySource {
    public func bytes(of path: TreePath) -> [UInt8]? { nil }
    public var isFixed: Bool { false }
}

/// Where the files of a source come from, which decides what of them has a meaning in an image.
public enum CopyOrigin: Equatable, Sendable {
    /// Of the user's machine: owners and access lists name people of that machine and are left behind. A ".." above its root is
    /// the root, too, and worth a notice: somebody may mean a file that he will not get.
    case context
    /// Of an image: owners are kept, and ".." at the root is the root, as in any root directory.
    case image
}

/// One name of a directory.
public struct SourceChild: Sendable {
    public var name: [UInt8]
    public var status: FileStatus

    public init(name: [UInt8], status: FileStatus) {
        self.name = name
        self.status = status
    }
}

/// What an earlier look into a file has found.
public struct KnownContent: Sendable, Equatable {
    public var digest: Digest
    /// Whether it has attributes that a layer carries: then they have to be read.
    public var hasAttributes: Bool

    public init(digest: Digest, hasAttributes: Bool) {
        self.digest = digest
        self.hasAttributes = hasAttributes
    }
}

/// Remembers the digests of files, so that a file that did not change need not be opened for a cache key.
public protocol ContentDigests: AnyObject {
    func content(of status: FileStatus) -> KnownContent?
    /// Called when a file was read; `time` is when that began, by the clock that stamps files.
    func remember(_ content: KnownContent, of status: FileStatus, readAt time: FileTime)
}

extension FileStatus {
    /// Whether nothing was written to the file between two looks at it, as far as the kernel tells.
    func isUnchanged(since other: FileStatus) -> Bool {
        isSameFile(as: other) && kind == other.kind && size == other.size
            && modified == other.modified && changed == other.changed
    }
}
