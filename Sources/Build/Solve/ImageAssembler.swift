import Archive
import OCI
import Store

/// An image whose documents are in the store.
struct AssembledImage: Sendable {
    var manifest: Descriptor
    var config: Digest
    var layers: [LayerRecord]
    var platform: Platform
}

/// Makes config and manifest of what a stage has come to, and the index of what several have.
struct ImageAssembler {
    let session: BuildSession

    /// The image of `plan`, whose target has come to `state`.
    func assemble(_ state: StageState, of plan: Plan) async throws -> AssembledImage {
        var config = state.config
        var layers: [LayerRecord] = []
        for layer in state.layers { layers.append(try await layer.record) }
        config.diffIDs = layers.map(\.diffID)
        config.created = state.created ?? session.now
        config.config.labels.merge(session.request.labels) { $1 }
        let platform = plan.stages[plan.target]!.platform
        (config.os, config.architecture, config.variant) = (
            platform.os, platform.architecture, platform.variant
        )
        let configBytes = config.encoded()
        let configDescriptor = try keep(configBytes, .config)
        let manifest = Manifest(
            config: configDescriptor, layers: layers.map { Self.published($0.blob) })
        let manifestDescriptor = try keep(manifest.encoded(), .manifest)
        return AssembledImage(
            manifest: manifestDescriptor, config: configDescriptor.digest, layers: layers,
            platform: platform)
    }

    /// The index of images for several platforms, in their order. OCI image-spec v1.1, image-index.md.
    func index(_ images: [AssembledImage]) throws -> Descriptor {
        let entries = images.map { image in
            var entry = image.manifest
            entry.platform = image.platform
            return entry
        }
        return try keep(Index(manifests: entries).encoded(), .index)
    }

    /// A base's layer under the name that fits an OCI manifest; its bytes are the same.
    private static func published(_ blob: Descriptor) -> Descriptor {
        guard let compression = blob.mediaType.compression else { return blob }
        return Descriptor(mediaType: .layer(compression), digest: blob.digest, size: blob.size)
    }

    private func keep(_ bytes: [UInt8], _ mediaType: MediaType) throws -> Descriptor {
        let digest = Digest(sha256: bytes.withUnsafeBytes { SHA256.digest(of: $0) })
        try session.store.keepDocument(bytes, digest: digest)
        return Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count))
    }
}
