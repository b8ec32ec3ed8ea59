/// How the writer lays out what an entry is called and what it is.
enum TarName {
    /// Where the part of `path` for the name field starts: 0 when all of it fits, else behind a
    /// slash, before which the prefix ends. nil when it can't be split. The last slash that
    /// leaves a prefix short enough is taken, so that the name is as short as can be.
    static func split(_ path: [UInt8], addingSlash: Bool) -> Int? {
        let length = path.count + (addingSlash ? 1 : 0)
        if length <= TarField.name.count { return 0 }
        guard length <= TarField.prefix.count + 1 + TarField.name.count else { return nil }
        // A slash at either end would leave an empty part.
        for slash in path.indices.dropFirst().dropLast().reversed()
        where path[slash] == UInt8(ascii: "/") && slash <= TarField.prefix.count {
            return length - slash - 1 <= TarField.name.count ? slash + 1 : nil
        }
        return nil
    }
}

extension TarEntry.Kind {
    var typeFlag: UInt8 {
        switch self {
        case .file: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symlink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }
}

extension TarEntry {
    /// Throws when no tar can say this, or our own reader would refuse it.
    func checkWritable() throws(ArchiveError) {
        try TarEntry.checkPath(path)
        guard !path.contains(0), !linkTarget.contains(0) else {
            throw ArchiveError(.unwritable("a name with a NUL"))
        }
        let isLink = kind == .symlink || kind == .hardLink
        guard isLink != linkTarget.isEmpty else {
            throw ArchiveError(.unwritable("a link without a target, or a target without a link"))
        }
        guard linkTarget.count <= ArchiveLimits.linkTarget else {
            throw ArchiveError(.limit("bytes of a link target", Int64(ArchiveLimits.linkTarget)))
        }
        guard kind == .directory || path.last != UInt8(ascii: "/") else {
            throw ArchiveError(.unwritable("a slash after the name of what is no directory"))
        }
        guard mode <= 0o7777, size >= 0, uid < .max, gid < .max,
            major < 1 << 21, minor < 1 << 21
        else { throw ArchiveError(.unwritable("a number out of range")) }
        guard xattrs.count <= ArchiveLimits.xattrs else {
            throw ArchiveError(.limit("xattrs of an entry", Int64(ArchiveLimits.xattrs)))
        }
        for xattr in xattrs {
            guard !xattr.name.isEmpty, xattr.name.count <= ArchiveLimits.xattrName,
                xattr.value.count <= ArchiveLimits.xattrValue,
                !xattr.name.contains(0), !xattr.name.contains(UInt8(ascii: "="))
            else { throw ArchiveError(.unwritable("an xattr that no tar can carry")) }
        }
    }
}
