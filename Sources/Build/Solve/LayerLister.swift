import Archive
import Layers
import Linux
import OCI
import Store

extension Store {
    /// The listing of a layer whose blob is here; read through once where it was never listed. Blocks.
    func listing(making record: LayerRecord) throws -> Listing {
        if let listing = try listing(record.diffID) { return listing }
        guard let blob = try blob(record.blob.digest) else {
            throw StoreError(.missingBlob(record.blob.digest))
        }
        let reader = try LayerReader(
            DescriptorSource(blob.borrowed, called: "layer \(record.blob.digest)"))
        let listing = try LayerIndexer.listing(of: reader.tar)
        let diffID = Digest(sha256: try reader.finish().diffID)
        if diffID != record.diffID {
            throw StoreError(.wrongDigest(expected: record.diffID, actual: diffID))
        }
        return try keepListing(listing.encoded(), of: diffID)
    }
}
