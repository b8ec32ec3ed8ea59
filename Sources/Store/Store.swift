public import Linux
import Synchronization
public import SystemPackage

/// Everything that builds leave behind: blobs in an OCI layout, named images, what steps gave, unpacked trees.
///
/// Shared by any number of processes at once. A file in it is complete and verified, or it is not there: everything is written
/// without a name or under `work/`, synced, and given its name. OCI image-spec v1.1, image-layout.md.
public final class Store: Sendable {
    /// Of the layout described in design.md; a larger one on disk is refused.
    public static let version = 1

    let root: OwnedDescriptor
    let scratch: OwnedDescriptor
    /// For messages only.
    public let pathForMessages: String
    /// Of those who build or read through this value.
    let starts = Mutex(VisitStarts())

    /// Opens the store at `path`, making it if it is not there.
    ///
    /// - Parameters:
    ///   - path: made with mode 0700. It must belong to this user and be closed to others: an image's setuid root is setuid of
    ///     this user on the host.
    ///   - scratchPath: where trees and work go, on a local disk; nil for the store itself.
    public init(path: String, scratchPath: String? = nil) throws(StoreError) {
        pathForMessages = path
        root = try Self.openPrivate(path)
        scratch =
            if let scratchPath { try Self.openPrivate(scratchPath) } else {
                try Self.duplicate(root)
            }
        try prepare()
    }

    /// A store by descriptors that were opened before: in the worker, which got them from its parent.
    public init(root: consuming OwnedDescriptor, scratch: consuming OwnedDescriptor) {
        self.root = root
        self.scratch = scratch
        pathForMessages = "the store"
    }

    /// The descriptors to hand to a worker.
    public var descriptors: [FileDescriptor] { [root.borrowed, scratch.borrowed] }

    private static func duplicate(_ descriptor: borrowing OwnedDescriptor) throws(StoreError)
        -> OwnedDescriptor
    {
        try StoreError.during("open the store") { () throws(Errno) in try descriptor.duplicate() }
    }

    private static func openPrivate(_ path: String) throws(StoreError) -> OwnedDescriptor {
        let bytes = Array(path.utf8)
        try StoreError.during("make \(path)") { () throws(Errno) in try makeDirectories(bytes) }
        let directory = try StoreError.during("open \(path)") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(
                bytes, [.readOnly, .directory], resolve: .system)
        }
        try StorePlace().check(directory.borrowed, path)
        return directory
    }

    /// Makes `path` and what is missing above it, all for this user alone.
    private static func makeDirectories(_ path: [UInt8]) throws(Errno) {
        do { return try FileDescriptor.workingDirectory.makeDirectory(path, mode: 0o700) } catch {
            if error == .fileExists { return }
            if error != .noSuchFileOrDirectory { throw error }
        }
        guard let index = path.dropLast().lastIndex(of: UInt8(ascii: "/")), index > 0 else {
            throw Errno.noSuchFileOrDirectory
        }
        try makeDirectories(Array(path[..<index]))
        do throws(Errno) {
            try FileDescriptor.workingDirectory.makeDirectory(path, mode: 0o700)
        } catch {
            if error != .fileExists { throw error }
        }
    }

    private static let rootDirectories = [
        "blobs", "blobs/sha256", "listings", "steps", "visits", "work",
    ]
    private static let scratchDirectories = ["trees", "mounts", "work"]

    private func prepare() throws(StoreError) {
        try checkVersion()
        for name in Self.rootDirectories { try make(name, in: root.borrowed) }
        for name in Self.scratchDirectories { try make(name, in: scratch.borrowed) }
        try writeOnce("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}")
        try writeOnce("version", "\(Self.version)\n")
    }

    private func make(_ name: String, in directory: FileDescriptor) throws(StoreError) {
        try StoreError.during("make \(name) in the store") { () throws(Errno) in
            do throws(Errno) { try directory.makeDirectory(name.utf8, mode: 0o700) } catch {
                if error != .fileExists { throw error }
            }
        }
    }

    private func checkVersion() throws(StoreError) {
        guard let bytes = try read("version", limit: 64) else { return }
        let text = printable(bytes.prefix { $0 != UInt8(ascii: "\n") })
        guard let version = Int(text) else {
            throw StoreError(.damaged("its version is \"\(text)\""))
        }
        if version > Self.version {
            throw StoreError(
                .newerVersion(text), hint: "use that Lichen, or another store with --root")
        }
    }

    private func writeOnce(_ name: String, _ content: String) throws(StoreError) {
        let exists = try StoreError.during("look at \(name) in the store") { () throws(Errno) in
            try root.borrowed.statusIfPresent(of: name.utf8) != nil
        }
        if !exists { try write(Array(content.utf8), to: name, in: root.borrowed) }
    }

    // MARK: - Files

    /// Writes a whole file, syncs it, and gives it its name.
    func write(_ bytes: [UInt8], to path: String, in directory: FileDescriptor) throws(StoreError) {
        let new = try StoreError.during("write \(path) in the store") { () throws(Errno) in
            try NewFile.make("file", in: directory)
        }
        do throws(StoreError) {
            try StoreError.during("write \(path) in the store") { () throws(Errno) in
                try new.file.borrowed.writeFully(bytes)
                try new.file.borrowed.synchronise()
            }
            try place(new.name, new.file.borrowed, as: path, in: directory)
        } catch {
            // The error above is the one that counts; a left-over is swept up later.
            if let name = new.name { try? directory.unlink(name.utf8) }
            throw error
        }
    }

    /// A whole small file, nil if it is not there.
    func read(_ path: String, limit: Int, in directory: FileDescriptor? = nil) throws(StoreError)
        -> [UInt8]?
    {
        guard let file = try Self.openIfPresent(path, in: directory ?? root.borrowed) else {
            return nil
        }
        return try StoreError.during("read \(path) in the store") { () throws(Errno) in
            try file.borrowed.readAll(limit: limit)
        }
    }

    /// Opens a file for reading; nil if it is not there.
    static func openIfPresent(_ path: String, in directory: FileDescriptor) throws(StoreError)
        -> OwnedDescriptor?
    {
        do throws(Errno) { return try directory.open(path, .readOnly) } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw StoreError(.system(SystemError("open \(path) in the store", error)))
        }
    }

    /// Where small files lie that only make builds faster; each is written whole by whoever owns it.
    public var directoryForHints: FileDescriptor { root.borrowed }

    func openLock(_ name: String) throws(Errno) -> OwnedDescriptor {
        try root.borrowed.open(name, [.readWrite, .create], mode: 0o600)
    }
}
