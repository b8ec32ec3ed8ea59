import Glibc
public import SystemPackage

/// Removes `name` in `directory` and all below it, never through a link. What is not there is as good.
///
/// Whoever made the tree may have nested it deeper than any path, stack or table of descriptors goes: so nothing here grows with
/// its depth. What lies deeper than a few levels is moved up, next to `name`, and removed from there.
public func removeTree(_ name: some Collection<UInt8>, in directory: FileDescriptor) throws {
    var pending = [Array(name)]
    var removal = TreeRemoval(top: directory)
    while let next = pending.popLast() {
        try removal.remove(next, in: directory, depth: 0)
        pending += removal.takeMovedUp()
    }
}

private struct TreeRemoval {
    /// As deep as one descends before what is below is moved up.
    private static let largestDepth = 64

    let top: FileDescriptor
    private let prefix = ".removing-\(randomName(bytes: 4))-"
    private var movedCount = 0
    private var movedUp: [[UInt8]] = []

    init(top: FileDescriptor) { self.top = top }

    mutating func takeMovedUp() -> [[UInt8]] {
        defer { movedUp = [] }
        return movedUp
    }

    mutating func remove(_ name: [UInt8], in directory: FileDescriptor, depth: Int) throws {
        do throws(Errno) { return try directory.unlink(name) } catch {
            if error == .noSuchFileOrDirectory { return }
            if error != .isDirectory { throw error }
        }
        if depth == Self.largestDepth { return try moveUp(name, from: directory) }
        do {
            try removeDirectory(name, in: directory, depth: depth)
        } catch Errno.noSuchFileOrDirectory {
            // Somebody else removes the same tree.
        }
    }

    private mutating func removeDirectory(
        _ name: [UInt8], in directory: FileDescriptor, depth: Int
    ) throws {
        let inner = try Self.open(name, in: directory)
        let reader = DirectoryReader()
        // Names first: what is removed while a directory is read may make the file system skip others.
        for child in try reader.names(in: inner.borrowed) {
            try remove(child, in: inner.borrowed, depth: depth + 1)
        }
        try directory.removeEmptyDirectory(name)
    }

    private mutating func moveUp(_ name: [UInt8], from directory: FileDescriptor) throws {
        movedCount += 1
        let new = Array("\(prefix)\(movedCount)".utf8)
        try directory.rename(name, to: top, new, replacing: false)
        movedUp.append(new)
    }

    /// A directory without permissions for its owner is made readable first: it is ours to remove.
    private static func open(_ name: [UInt8], in directory: FileDescriptor) throws(Errno)
        -> OwnedDescriptor
    {
        let flags: OpenFlags = [.readOnly, .directory, .noFollow]
        do { return try directory.open(name, flags, resolve: .noLinks) } catch {
            if error != .permissionDenied { throw error }
        }
        try directory.setPermissions(name, 0o700)
        return try directory.open(name, flags, resolve: .noLinks)
    }
}
