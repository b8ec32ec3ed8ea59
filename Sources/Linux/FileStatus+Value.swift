extension FileStatus {
    /// Of a file that no file system holds: root's, with one name.
    public init(fileOf size: UInt64, permissions: UInt32, modified: FileTime) {
        kind = .regular
        self.permissions = permissions
        (uid, gid) = (0, 0)
        (linkCount, inode) = (1, 0)
        self.size = size
        (self.modified, changed, born) = (modified, modified, modified)
        device = DeviceNumber(major: 0, minor: 0)
        special = DeviceNumber(major: 0, minor: 0)
    }
}
