public import Layers
public import Linux

/// The files of an unpacked archive, as COPY sees them: with the modes, times and attributes that the archive gives them.
///
/// On disk they have other modes, so that this process can always read and remove them; `ArchiveUnpacker` makes such trees.
public final class ContextTree: CopySource {
    public let origin = CopyOrigin.context
    private let files: DirectorySource
    private let records: EntryRecords

    public init(_ files: DirectorySource, _ records: EntryRecords) {
        self.files = files
        self.records = records
    }

    /// Nobody but this build knows the place.
    public var isFixed: Bool { true }

    public func status(of path: TreePath) throws(SystemError) -> FileStatus? {
        try files.status(of: path).map { records.corrected($0, of: path) }
    }

    public func children(of directory: TreePath) throws(SystemError) -> [SourceChild] {
        try files.children(of: directory).map { child in
            let path = directory.appending(child.name)
            return SourceChild(name: child.name, status: records.corrected(child.status, of: path))
        }
    }

    public func linkTarget(of path: TreePath) throws(SystemError) -> [UInt8] {
        try files.linkTarget(of: path)
    }

    public func attributes(of path: TreePath) -> [ExtendedAttribute] {
        records[path]?.attributes ?? []
    }

    public func open(_ path: TreePath) throws(SystemError) -> OwnedDescriptor {
        try files.open(path)
    }
}

/// What an archive says of its entries beside their bytes.
public struct EntryRecords: Sendable {
    struct Record: Sendable {
        var permissions: UInt32
        var modified: FileTime
        var attributes: [ExtendedAttribute]
    }

    /// Of a directory that has no entry, but something in it.
    static let impliedPermissions: UInt32 = 0o755

    private var records: [TreePath: Record] = [:]

    init() {}

    subscript(path: TreePath) -> Record? {
        get { records[path] }
        set { records[path] = newValue }
    }

    fileprivate func corrected(_ status: FileStatus, of path: TreePath) -> FileStatus {
        var status = status
        if let record = records[path] {
            if status.kind != .symbolicLink { status.permissions = record.permissions }
            status.modified = record.modified
        } else if status.kind == .directory {
            status.permissions = Self.impliedPermissions
        }
        return status
    }
}
