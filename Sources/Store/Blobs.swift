public import Linux
public import OCI
import SystemPackage

extension Store {
    /// Where a blob lies in an OCI layout.
    static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    /// Opens a blob for reading; nil if it is not here.
    public func blob(_ digest: Digest) throws(StoreError) -> OwnedDescriptor? {
        let path = Self.path(of: digest)
        guard try mark(path, in: root.borrowed) != nil else { return nil }
        return try Self.openIfPresent(path, in: root.borrowed)
    }

    /// Bytes of a blob; nil if it is not here.
    public func size(ofBlob digest: Digest) throws(StoreError) -> Int64? {
        try mark(Self.path(of: digest), in: root.borrowed).map { Int64($0.size) }
    }

    /// A whole small blob, a manifest or a config; nil if it is not here.
    public func document(_ digest: Digest, limit: Int = DocumentLimits.configBytes)
        throws(StoreError) -> [UInt8]?
    {
        let path = Self.path(of: digest)
        guard try mark(path, in: root.borrowed) != nil else { return nil }
        return try read(path, limit: limit)
    }

    /// Keeps a document; nothing happens if it is here.
    public func keepDocument(_ bytes: [UInt8], digest: Digest) throws(StoreError) {
        if try size(ofBlob: digest) != nil { return }
        try write(bytes, to: Self.path(of: digest), in: root.borrowed)
    }

    /// Starts a new blob; its name comes when it is whole.
    public func newBlob() throws(StoreError) -> NewBlob {
        let new = try StoreError.during("make a blob") { () throws(Errno) in
            try NewFile.make("blob", in: root.borrowed)
        }
        return NewBlob(store: self, new)
    }

    /// Digests of all blobs, and their sizes.
    public func allBlobs() throws -> [(digest: Digest, size: Int64)] {
        let directory = try StoreError.during("open the blobs") { () throws(Errno) in
            try root.borrowed.open("blobs/sha256", [.readOnly, .directory])
        }
        let reader = DirectoryReader()
        return try reader.names(in: directory.borrowed).compactMap { name in
            guard let digest = Digest(hex: String(decoding: name, as: UTF8.self)) else {
                return nil
            }
            return (digest, try size(ofBlob: digest) ?? 0)
        }
    }

    /// Of a caller who has the lock.
    public func removeBlob(_ digest: Digest) throws(StoreError) {
        try remove(Self.path(of: digest))
    }

    /// Removes a file; one that is not there is as good.
    func remove(_ path: String) throws(StoreError) {
        try StoreError.during("remove \(path)") { () throws(Errno) in
            do throws(Errno) { try root.borrowed.unlink(path.utf8) } catch {
                if error != .noSuchFileOrDirectory { throw error }
            }
        }
    }
}

/// A blob that is being written. Gone again, unless it is kept.
public struct NewBlob: ~Copyable, Sendable {
    private let store: Store
    /// Nil where it has none so far.
    private let name: String?
    /// Open for writing; the caller writes, in order, from the start.
    public let file: OwnedDescriptor
    private var isKept = false

    init(store: Store, _ new: consuming NewFile) {
        self.store = store
        name = new.name
        file = new.file
    }

    deinit {
        // What can't be removed now is swept up when the next build starts.
        if !isKept, let name { try? store.root.borrowed.unlink(name.utf8) }
    }

    /// Makes it durable and gives it its name, which the caller has computed from the bytes it wrote.
    public consuming func keep(as digest: Digest) throws(StoreError) {
        try StoreError.during("keep blob \(digest)") { () throws(Errno) in
            try file.borrowed.synchronise()
        }
        try store.place(
            name, file.borrowed, as: Store.path(of: digest), in: store.root.borrowed)
        isKept = true
    }
}
