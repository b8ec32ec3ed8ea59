import Linux
import SystemPackage

/// A file of the store that is being written.
///
/// It has no name before it is whole, so that whoever is killed at any instant leaves nothing behind. Where the file system has no
/// files without names (NFS, some FUSE) it lies in `work/`, and is swept up later.
struct NewFile: ~Copyable {
    let file: OwnedDescriptor
    /// Nil where it has none.
    let name: String?

    /// - Parameter directory: the store, or its scratch directory.
    static func make(_ prefix: String, in directory: FileDescriptor) throws(Errno) -> NewFile {
        do throws(Errno) {
            let file = try directory.open("work", [.readWrite, .unnamed], mode: 0o600)
            return NewFile(file: file, name: nil)
        } catch {
            // EISDIR: a kernel or file system that does not know the flag.
            guard error == .notSupportedOnSocket || error == .isDirectory else { throw error }
        }
        let temporary = "work/\(prefix)-\(randomName())"
        let file = try directory.open(temporary, [.readWrite, .create, .exclusive], mode: 0o600)
        return NewFile(file: file, name: temporary)
    }
}

extension FileDescriptor {
    /// Gives a whole new file of this directory its name, in the place of what had it before.
    func place(_ file: FileDescriptor, named temporary: String?, as path: String) throws(Errno) {
        if let temporary { return try rename(temporary.utf8, to: self, path.utf8) }
        do throws(Errno) { return try name(file, path.utf8) } catch {
            if error != .fileExists { throw error }
        }
        // Only a rename replaces a file at once; between these two calls it has a name in `work/`.
        let temporary = "work/file-\(randomName())"
        try name(file, temporary.utf8)
        do throws(Errno) { try rename(temporary.utf8, to: self, path.utf8) } catch {
            // The error above is the one that counts; a left-over is swept up later.
            try? unlink(temporary.utf8)
            throw error
        }
    }
}
