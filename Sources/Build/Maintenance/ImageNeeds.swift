import OCI
import Store

/// What the named images of a store need: their documents, their layers, and the layers' listings.
struct ImageNeeds: Sendable {
    private(set) var diffIDs: Set<Digest> = []
    /// By blob, the names of the images that need it.
    private(set) var blobs: [Digest: Set<String>] = [:]
    /// What the images lack.
    private(set) var problems: [StoreProblem] = []

    init(of images: [(name: String, manifest: Descriptor)], in store: Store) {
        for (name, manifest) in images { addManifest(manifest, of: name, in: store) }
        problems = problems.map { problem in
            var problem = problem
            if case .blob(let digest) = problem.subject {
                problem.images = self.images(needing: digest)
            }
            return problem
        }
    }

    func images(needing blob: Digest) -> [String] { (blobs[blob] ?? []).sorted() }

    private mutating func addManifest(_ descriptor: Descriptor, of name: String, in store: Store) {
        blobs[descriptor.digest, default: []].insert(name)
        guard let bytes = document(descriptor, of: name, in: store) else { return }
        let document: ManifestDocument
        do throws(DocumentError) {
            document = try ManifestDocument(decoding: bytes, contentType: descriptor.mediaType)
        } catch {
            return report(.blob(descriptor.digest), .unreadable("\(error)"), name)
        }
        switch document {
        case .index(let index):
            for entry in index.manifests {
                // An index's images are fetched one by one; those of other platforms never.
                guard entry.mediaType.isManifest, (try? store.size(ofBlob: entry.digest)) != nil
                else { continue }
                addManifest(entry, of: name, in: store)
            }
        case .manifest(let manifest): addParts(of: manifest, of: name, in: store)
        }
    }

    private mutating func addParts(of manifest: Manifest, of name: String, in store: Store) {
        for blob in [manifest.config] + manifest.layers {
            blobs[blob.digest, default: []].insert(name)
        }
        for layer in manifest.layers {
            // An error is a damaged disk, and met again when the blob is read.
            guard let size = try? store.size(ofBlob: layer.digest) else {
                report(.blob(layer.digest), .absent, name)
                continue
            }
            if size != layer.size { report(.blob(layer.digest), .wrongDigest, name) }
        }
        guard let bytes = document(manifest.config, of: name, in: store) else { return }
        do throws(DocumentError) {
            diffIDs.formUnion(try ImageConfig(decoding: bytes, of: manifest).diffIDs)
        } catch {
            report(.blob(manifest.config.digest), .unreadable("\(error)"), name)
        }
    }

    private mutating func document(_ descriptor: Descriptor, of name: String, in store: Store)
        -> [UInt8]?
    {
        do throws(StoreError) {
            if let bytes = try store.document(descriptor.digest) { return bytes }
            report(.blob(descriptor.digest), .missing, name)
        } catch {
            report(.blob(descriptor.digest), .unreadable(error.description), name)
        }
        return nil
    }

    /// Once for each blob, however many images need it.
    private mutating func report(
        _ subject: StoreProblem.Subject, _ finding: StoreProblem.Finding, _ name: String
    ) {
        if problems.contains(where: { $0.subject == subject }) { return }
        problems.append(StoreProblem(subject: subject, finding: finding, images: [name]))
    }
}
