import Linux
import SystemPackage

/// Tells the owners that a tree keeps on record, of the files that a step left behind.
///
/// A file or directory has its record with it, wherever it went. A link or special file can't have one, and copy-up gives it
/// another inode. But it keeps its time, to the second, which a new one has only by chance or on purpose: so one that looks in
/// all like one of the image's, kind, target, mode and time, is that one, moved.
struct RecordedOwners {
    static let attribute = String(decoding: PrivateAttribute.owner, as: UTF8.self)

    private let lower: LayerStack
    private let form: TreeForm
    /// Of links and special files whose owners are on record; found when the first is asked for.
    private var special: [Look: (uid: UInt32, gid: UInt32)]?

    /// What can be seen of a link or special file.
    private struct Look: Hashable {
        var kind: FileKind
        var permissions: UInt32
        var modified: Int64
        var target: [UInt8]
    }

    init(of lower: LayerStack, _ form: TreeForm) {
        self.lower = lower
        self.form = form
    }

    /// The owner of a file that is on record, nil where it is as the kernel says.
    mutating func owner(
        of path: TreePath, _ status: FileStatus, in directory: FileDescriptor
    ) throws(LayerError) -> (uid: UInt32, gid: UInt32)? {
        switch status.kind {
        case .regular, .directory:
            let record = try LayerError.at(path.bytes, "read its owner") { () throws(Errno) in
                try directory.extendedAttribute(Self.attribute, of: Array(path.name))
            }
            return TreeForm.recordedOwner(record)
        case .symbolicLink, .fifo:
            if status.modified.nanoseconds != 0 { return nil }
            var target: [UInt8] = []
            if status.kind == .symbolicLink {
                target = try LayerError.at(path.bytes, "read the link") { () throws(Errno) in
                    try directory.readLink(path.name)
                }
            }
            return ownersOfSpecial()[
                Look(
                    kind: status.kind, permissions: status.permissions,
                    modified: status.modified.seconds, target: target)]
        case .socket, .characterDevice, .blockDevice: return nil
        }
    }

    private mutating func ownersOfSpecial() -> [Look: (uid: UInt32, gid: UInt32)] {
        if let special { return special }
        var found: [Look: (uid: UInt32, gid: UInt32)] = [:]
        for listing in lower.listings where !form.holds(listing.largestUID, listing.largestGID) {
            listing.forEach { _, entry in
                guard entry.kind == .symbolicLink || entry.kind == .fifo,
                    !form.holds(entry.uid, entry.gid)
                else { return }
                let isLink = entry.kind == .symbolicLink
                // The kernel's mode of every link.
                let look = Look(
                    kind: isLink ? .symbolicLink : .fifo,
                    permissions: isLink ? 0o777 : UInt32(entry.permissions),
                    modified: entry.modified, target: entry.linkTarget)
                found[look] = (entry.uid, entry.gid)
            }
        }
        special = found
        return found
    }
}
