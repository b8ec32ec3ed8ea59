import FoundationEssentials
public import Layers
import Linux
public import OCI
import Synchronization
import SystemPackage

/// A layer of an image: what it holds, and the blob that carries it.
public struct LayerRecord: Hashable, Sendable, Codable {
    /// Of the uncompressed tar.
    public var diffID: Digest
    public var blob: Descriptor

    public init(diffID: Digest, blob: Descriptor) {
        self.diffID = diffID
        self.blob = blob
    }
}

/// What a solved step gave.
public struct StepRecord: Hashable, Sendable, Codable {
    /// Nil where the step changed nothing.
    public var layer: LayerRecord?
    /// How the blob was compressed: name, version and level.
    public var compressor: String?
    /// Names the layers that it stood on: a step is the same only on the same files, whatever made them.
    public var basis: Digest
    /// When it was solved: the image's history keeps it, so that a cached build gives the same bytes.
    public var created: Timestamp

    public init(layer: LayerRecord?, compressor: String?, basis: Digest, created: Timestamp) {
        self.layer = layer
        self.compressor = compressor
        self.basis = basis
        self.created = created
    }
}

/// How large a file of the store is, and when it was made or last of use.
public struct FileUse: Sendable, Equatable {
    public var bytes: Int64
    /// In seconds since 1970.
    public var used: Int64

    public init(bytes: Int64, used: Int64) {
        self.bytes = bytes
        self.used = used
    }
}

extension Store {
    /// The most that is read of one record.
    private static let largestRecord = 1 << 20

    /// What the step with this key gave, if it was ever solved here.
    ///
    /// A record that can't be read, or whose layer is gone, is no record: the step runs again.
    public func step(_ key: Digest) throws(StoreError) -> StepRecord? {
        guard let bytes = try read("steps/\(key.hex)", limit: Self.largestRecord),
            let record = try? JSONDecoder().decode(StepRecord.self, from: Data(bytes))
        else { return nil }
        if let layer = record.layer {
            guard try size(ofBlob: layer.blob.digest) == layer.blob.size else { return nil }
        }
        markUse(ofStep: key)
        return record
    }

    /// Lets a prune know that the record is of use. Once an hour is often enough, and it can't fail a build: what is lost with a
    /// record is the time to run its step again.
    private func markUse(ofStep key: Digest) {
        let (path, now) = ("steps/\(key.hex)", wallClockSeconds())
        guard starts.withLock({ $0.newest }) != nil,
            let status = try? root.borrowed.status(of: path.utf8),
            status.modified.seconds < now - 3600
        else { return }
        try? root.borrowed.setTimes(path.utf8, FileTime(seconds: now))
    }

    public func keepStep(_ key: Digest, _ record: StepRecord) throws(StoreError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(record) else {
            throw StoreError(.damaged("a record can't be written"))
        }
        try write([UInt8](data), to: "steps/\(key.hex)", in: root.borrowed)
    }

    /// All records of steps.
    public func allSteps() throws -> [(key: Digest, record: StepRecord?)] {
        try names(in: "steps").compactMap { Digest(hex: $0) }.map { ($0, try step($0)) }
    }

    /// Bytes of a blob, a listing or a record, and when it was made or last of use; nil if it is not there.
    public func use(ofBlob digest: Digest) throws(StoreError) -> FileUse? {
        try use(Self.path(of: digest))
    }

    public func use(ofListing diffID: Digest) throws(StoreError) -> FileUse? {
        try use("listings/\(diffID.hex)")
    }

    public func use(ofStep key: Digest) throws(StoreError) -> FileUse? {
        try use("steps/\(key.hex)")
    }

    private func use(_ path: String) throws(StoreError) -> FileUse? {
        try StoreError.during("look at \(path) in the store") { () throws(Errno) in
            try root.borrowed.statusIfPresent(of: path.utf8).map {
                FileUse(bytes: Int64($0.size), used: $0.modified.seconds)
            }
        }
    }

    public func removeStep(_ key: Digest) throws(StoreError) { try remove("steps/\(key.hex)") }

    /// The listing of a layer, nil if it has never been packed or unpacked here.
    public func listing(_ diffID: Digest) throws -> Listing? {
        let path = "listings/\(diffID.hex)"
        guard try mark(path, in: root.borrowed) != nil,
            let file = try Self.openIfPresent(path, in: root.borrowed)
        else { return nil }
        let content = try MappedFile(file.borrowed)
        // Of another version of Lichen: made anew, as if it were not there.
        return Listing.isOfOtherVersion(content) ? nil : try Listing(content)
    }

    /// Keeps a listing and opens it.
    @discardableResult
    public func keepListing(_ bytes: [UInt8], of diffID: Digest) throws -> Listing {
        if let listing = try listing(diffID) { return listing }
        try write(bytes, to: "listings/\(diffID.hex)", in: root.borrowed)
        guard let listing = try listing(diffID) else {
            throw StoreError(.damaged("a listing vanished"))
        }
        return listing
    }

    public func allListings() throws -> [Digest] {
        try names(in: "listings").compactMap { Digest(hex: $0) }
    }

    public func removeListing(_ diffID: Digest) throws(StoreError) {
        try remove("listings/\(diffID.hex)")
    }

    /// - Parameter base: nil for the store itself, and not for its scratch.
    func names(in path: String, of base: FileDescriptor? = nil) throws -> [String] {
        let directory = try StoreError.during("open \(path) in the store") { () throws(Errno) in
            try (base ?? root.borrowed).open(path, [.readOnly, .directory])
        }
        let reader = DirectoryReader()
        return try reader.names(in: directory.borrowed).map { String(decoding: $0, as: UTF8.self) }
    }
}
