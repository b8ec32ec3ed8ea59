public import Linux
import SystemPackage

/// How this place keeps the files of unpacked layers: under which ids, and whether overlay stacks them.
///
/// A tree of one form can't serve for another. Owners that the id map holds are the kernel's; others are on record in an
/// attribute of the file, which copy-up, chmod and rename carry along. Links and special files can't have one (xattr(7)): their
/// layer's listing has their owner, as it has every file's.
public struct TreeForm: Sendable, Equatable {
    /// Of namespace A, where the trees are.
    public let uid, gid: IDMap
    /// Whether whiteouts and opaque directories are marked as overlay wants it. Otherwise trees hold files alone: a step works
    /// on a copy, and the listings say what hides what.
    public let isStacked: Bool

    public init(uid: IDMap, gid: IDMap, isStacked: Bool = true) {
        self.uid = uid
        self.gid = gid
        self.isStacked = isStacked
    }

    /// Fit for a file's name.
    public var name: String {
        let map = uid == gid ? uid.fileName : "\(uid.fileName)_\(gid.fileName)"
        return isStacked ? map : map + "_plain"
    }

    /// Whether the kernel can keep this owner.
    func holds(_ uid: UInt32, _ gid: UInt32) -> Bool {
        self.uid.contains(uid) && self.gid.contains(gid)
    }

    /// Whether the kernel keeps the owners of all files of `stack`: then no file of it has a record.
    public func holdsOwners(of stack: LayerStack) -> Bool {
        stack.listings.allSatisfy { holds($0.largestUID, $0.largestGID) }
    }

    // MARK: - Giving files to their owners

    /// Gives `name` in `directory` to its owner; a link itself.
    func give(
        _ name: some Collection<UInt8>, in directory: FileDescriptor, to uid: UInt32, _ gid: UInt32,
        isRecordable: Bool
    ) throws(Errno) {
        try directory.setOwner(name, uid: kept(uid, self.uid), gid: kept(gid, self.gid))
        if !isRecordable || holds(uid, gid) { return }
        let file = try directory.open(Array(name), [.pathOnly, .noFollow], resolve: .noLinks)
        try record(uid, gid, of: file.borrowed)
    }

    /// Gives an open file or directory to its owner.
    ///
    /// - Parameter isNew: it was made just now, and has no record of an owner before.
    func give(_ file: FileDescriptor, to uid: UInt32, _ gid: UInt32, isNew: Bool = false)
        throws(Errno)
    {
        try file.setOwner(uid: kept(uid, self.uid), gid: kept(gid, self.gid))
        if holds(uid, gid) {
            if isNew { return }
            try file.removeExtendedAttributeIfPresent(PrivateAttribute.owner)
        } else {
            try record(uid, gid, of: file)
        }
    }

    private func record(_ uid: UInt32, _ gid: UInt32, of file: FileDescriptor) throws(Errno) {
        try file.setExtendedAttribute(PrivateAttribute.owner, Array("\(uid):\(gid)".utf8))
    }

    /// What stands in for an id that is not there: root's.
    private func kept(_ id: UInt32, _ map: IDMap) -> UInt32 { map.contains(id) ? id : 0 }

    /// The owner on record, where there is one that makes sense.
    static func recordedOwner(_ value: [UInt8]?) -> (uid: UInt32, gid: UInt32)? {
        guard let value else { return nil }
        let fields = value.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { UInt32(String(decoding: $0, as: UTF8.self)) }
        guard fields.count == 2, let uid = fields[0], let gid = fields[1] else { return nil }
        return (uid, gid)
    }
}
