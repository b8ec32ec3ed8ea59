public import OCI
public import Store

/// An image that is ready to be written out: all its blobs are in the store.
public struct ExportableImage: Sendable, Equatable {
    public var manifest: Descriptor
    public var manifestBytes: [UInt8]
    public var configBytes: [UInt8]
    /// Lowest first.
    public var layers: [LayerRecord]

    public init(
        manifest: Descriptor, manifestBytes: [UInt8], configBytes: [UInt8], layers: [LayerRecord]
    ) {
        self.manifest = manifest
        self.manifestBytes = manifestBytes
        self.configBytes = configBytes
        self.layers = layers
    }

    /// Every blob once: the manifest, the config, the layers from the lowest up.
    func blobs() throws(ExportError) -> [Descriptor] {
        let document: Manifest
        do { document = try Manifest(decoding: manifestBytes) } catch {
            throw ExportError(.damagedBlob(manifest.digest, reason: "\(error)"))
        }
        var seen: Set<Digest> = []
        return ([manifest, document.config] + layers.map(\.blob)).filter {
            seen.insert($0.digest).inserted
        }
    }
}
