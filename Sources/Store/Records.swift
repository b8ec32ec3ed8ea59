import FoundationEssentials
public import Layers
import Linux
public import OCI
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
        return record
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

    public func removeStep(_ key: Digest) throws(StoreError) { try remove("steps/\(key.hex)") }

    /// The listing of a layer, nil if it has never been packed or unpacked here.
    public func listing(_ diffID: Digest) throws -> Listing? {
        guard let file = try Self.openIfPresent("listings/\(diffID.hex)", in: root.borrowed) else {
            return nil
        }
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

    func names(in path: String) throws -> [String] {
        let directory = try StoreError.during("open \(path) in the store") { () throws(Errno) in
            try root.borrowed.open(path, [.readOnly, .directory])
        }
        let reader = DirectoryReader()
        return try reader.names(in: directory.borrowed).map { String(decoding: $0, as: UTF8.self) }
    }
}
