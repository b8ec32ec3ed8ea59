import OCI
import Store

extension Store {
    /// What a name stands for: a manifest, or of an index the one for this machine.
    func storedImage(_ named: Descriptor) throws -> StoredImage {
        guard let bytes = try document(named.digest) else {
            throw StoreError(.missingBlob(named.digest))
        }
        guard case .index(let index) = try ManifestDocument(decoding: bytes) else {
            return try stored(named.digest)
        }
        guard let entry = index.descriptor(for: .host) else {
            throw StoreError(.damaged("\(named.digest) has nothing for \(Platform.host)"))
        }
        return try stored(entry.digest)
    }
}
