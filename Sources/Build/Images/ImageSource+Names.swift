import OCI
import Registry
import Store

/// What names stand for, in the store and at registries.
extension ImageSource {
    /// A manifest or an index, of the store or of its registry.
    func top(_ reference: Reference) async throws -> Top {
        let known = try knownManifest(reference)
        if let known, policy != .always || reference.digest != nil {
            return known
        } else if policy == .never {
            throw BuildError(
                .input, "the store has no image \(reference.familiar)",
                hint: "--pull never asks no registry; pull it first, or build with --pull missing")
        }
        return try await fetch(reference)
    }

    /// The image, if all its documents are in the store; nil if they are not. No registry is asked.
    func storedImage(_ reference: Reference, _ platform: Platform) async throws -> BaseImage? {
        guard let known = try knownManifest(reference) else { return nil }
        do { return try await image(reference.familiar, at: nil, known, platform) } catch let error
            as StoreError
        {
            if case .missingBlob = error.problem { return nil }
            throw error
        }
    }

    /// What the store knows of a reference; by digest it needs no name.
    private func knownManifest(_ reference: Reference) throws -> (Descriptor, [UInt8])? {
        if let digest = reference.digest {
            guard let bytes = try store.document(digest),
                let document = try? ManifestDocument(decoding: bytes)
            else { return nil }
            return (
                Descriptor(mediaType: document.mediaType, digest: digest, size: Int64(bytes.count)),
                bytes
            )
        }
        guard let descriptor = try store.image(reference.description),
            let bytes = try store.document(descriptor.digest)
        else { return nil }
        return (descriptor, bytes)
    }

    /// Asks the registry, once.
    private func fetch(
        _ reference: Reference
    ) async throws -> (Descriptor, [UInt8]) {
        let fetched: FetchedManifest
        do throws(RegistryError) {
            fetched = try await client(reference.registry).manifest(
                ManifestName(reference), in: reference.repository)
        } catch { throw BuildError(error) }
        try store.keepDocument(fetched.bytes, digest: fetched.descriptor.digest)
        return (fetched.descriptor, fetched.bytes)
    }
}
