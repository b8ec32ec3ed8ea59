import Linux
import OCI
import SystemPackage

/// An OCI layout on disk that images are added to.
struct LayoutDirectory {
    let directory: FileDescriptor
    let pathForMessages: String

    private static let marker = "oci-layout"
    private static let index = "index.json"

    /// Throws where the directory is no OCI layout of the one version there is.
    func check() throws(ExportError) {
        guard let bytes = try read(Self.marker, limit: 4096) else {
            throw ExportError(
                .notLayout(pathForMessages), hint: "name a new directory, or empty this one")
        }
        let version = (try? JSONValue(decoding: bytes))?["imageLayoutVersion"]?.text
        guard let version, version.hasPrefix("1.") else {
            throw ExportError(
                .damagedLayout(pathForMessages, reason: "its version is not 1.0.0"))
        }
    }

    /// Keeps other exports out until it is let go. Nil on a file system without locks, where the last one to write wins.
    func lock() throws(ExportError) -> FileLock? {
        do throws(Errno) {
            return try FileLock(try directory.open(".", [.readOnly, .directory]), .exclusive)
        } catch {
            let isUnsupported = [.badFileDescriptor, .noLocks, .notSupported].contains(error)
            if isUnsupported || error == .invalidArgument { return nil }
            throw ExportError(.system(SystemError("lock \(pathForMessages)", error)))
        }
    }

    func prepare() throws(ExportError) {
        for name in ["blobs", "blobs/sha256"] {
            try during { () throws(Errno) in
                do throws(Errno) { try directory.makeDirectory(name.utf8, mode: 0o777) } catch {
                    if error != .fileExists { throw error }
                }
            }
        }
        if try read(Self.marker, limit: 4096) == nil {
            try write(ImageExporter.layoutFile, to: Self.marker)
        }
    }

    /// Whether the blob is here; one of another size is a left-over of something that was killed, and replaced.
    func has(_ blob: Descriptor) throws(ExportError) -> Bool {
        let status = try during { () throws(Errno) in
            try directory.statusIfPresent(of: Self.path(of: blob.digest).utf8)
        }
        return status?.kind == .regular && status?.size == UInt64(blob.size)
    }

    func addBlob(_ digest: Digest, _ fill: (FileDescriptor) throws -> Void) throws {
        let temporary = ".lichen-\(randomName())"
        let file = SharedDescriptor(try create(temporary))
        do {
            try fill(file.borrowed)
            try during { () throws(Errno) in
                try file.borrowed.checkClose()
                try directory.rename(
                    temporary.utf8, to: directory, Self.path(of: digest).utf8)
            }
        } catch {
            // The error above is the one that counts.
            try? directory.unlink(temporary.utf8)
            throw error
        }
    }

    /// Replaces the index by a changed one, in one step.
    func changeIndex(_ change: (inout LayoutIndex) throws -> Void) throws {
        var index = LayoutIndex()
        if let bytes = try read(Self.index, limit: DocumentLimits.manifestBytes) {
            guard let existing = LayoutIndex(decoding: bytes) else {
                throw ExportError(
                    .damagedLayout(pathForMessages, reason: "its index.json can't be read"))
            }
            index = existing
        }
        try change(&index)
        try write(try index.encoded(), to: Self.index)
    }

    private static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    private func create(_ name: String) throws(ExportError) -> OwnedDescriptor {
        try during { () throws(Errno) in
            try directory.open(name, [.writeOnly, .create, .exclusive], mode: 0o666)
        }
    }

    private func write(_ bytes: [UInt8], to name: String) throws(ExportError) {
        let temporary = ".lichen-\(randomName())"
        let file = try create(temporary)
        try during { () throws(Errno) in
            do throws(Errno) {
                try file.borrowed.writeFully(bytes)
                try file.borrowed.checkClose()
                try directory.rename(temporary.utf8, to: directory, name.utf8)
            } catch {
                // The error above is the one that counts.
                try? directory.unlink(temporary.utf8)
                throw error
            }
        }
    }

    private func read(_ name: String, limit: Int) throws(ExportError) -> [UInt8]? {
        try during { () throws(Errno) in
            do throws(Errno) {
                let file = try directory.open(name, .readOnly)
                return try file.borrowed.readAll(limit: limit)
            } catch {
                if error == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
    }

    private func during<Value: ~Copyable>(_ body: () throws(Errno) -> Value) throws(ExportError)
        -> Value
    {
        try ExportError.during("write to \(pathForMessages)", body)
    }
}
