import Linux
import OCI
import SystemPackage

/// Where the files of an OCI layout are.
protocol LayoutFiles {
    /// A small file; nil where there is none.
    func document(_ path: String, limit: Int) throws -> [UInt8]?
    /// Takes these blobs into the store; none of them is there yet.
    func add(_ blobs: [Descriptor], to blobImport: BlobImport) throws
}

/// A layout in a directory. Links in it are followed as long as they stay below it.
struct DirectoryLayoutFiles: LayoutFiles {
    private let directory: SharedDescriptor

    init(_ path: String) throws {
        let opened = try ImportError.during("open it") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(
                path, [.readOnly, .directory], resolve: .system)
        }
        directory = SharedDescriptor(opened)
    }

    func document(_ path: String, limit: Int) throws -> [UInt8]? {
        guard let file = try open(path) else { return nil }
        return try ImportError.during("read \(path)") { () throws(Errno) in
            try file.borrowed.readAll(limit: limit)
        }
    }

    func add(_ blobs: [Descriptor], to blobImport: BlobImport) throws {
        for blob in blobs {
            let path = Layout.path(of: blob.digest)
            guard let file = try open(path) else { throw ImportError(.missing(path)) }
            try blobImport.add(blob, copying: file.borrowed)
        }
    }

    private func open(_ path: String) throws -> SharedDescriptor? {
        do throws(Errno) {
            // A fifo is not waited for; it is refused below.
            let file = try directory.borrowed.open(path, [.readOnly, .nonBlocking])
            if try file.borrowed.status().kind == .regular { return SharedDescriptor(file) }
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw ImportError(.system(SystemError("open \(path)", error)))
        }
        throw ImportError(.damaged("\(path) is no file"))
    }
}

/// A layout in a tar.
struct ArchiveLayoutFiles: LayoutFiles {
    let members: ArchiveMembers

    func document(_ path: String, limit: Int) throws -> [UInt8]? {
        try members.document(path, limit: limit)
    }

    func add(_ blobs: [Descriptor], to blobImport: BlobImport) throws {
        var wanted: [String: Descriptor] = [:]
        for blob in blobs {
            let path = Layout.path(of: blob.digest)
            guard let (name, size) = members.member(path) else {
                throw ImportError(.missing(path))
            }
            if size != blob.size {
                throw ImportError(.wrongSize(path, expected: blob.size, actual: size))
            }
            wanted[name] = blob
        }
        try members.extract(Set(wanted.keys)) { name, entry, tar in
            try blobImport.add(blobOf: entry, from: tar, expected: wanted[name]!.digest)
        }
    }
}
