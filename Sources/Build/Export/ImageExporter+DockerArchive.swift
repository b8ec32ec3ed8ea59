import Archive
import OCI
import Store

extension ImageExporter {
    /// Writes what `docker save` writes: `manifest.json` for readers of all ages, and an OCI layout around the same blobs, which
    /// engines from Docker 25 on read instead.
    ///
    /// Layers stay as they are, compressed or not: `docker load` and `podman load` tell by their first bytes, the image keeps its
    /// digest through the layout, and nothing is packed twice. The same image and names give the same bytes; the documents come
    /// first, so that a reader of a stream sees what it gets.
    ///
    /// Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format"; OCI image-spec v1.1, image-layout.md.
    func writeDockerArchive(
        of image: ExportableImage, named references: [Reference],
        to destination: ImageOutput.Destination
    ) throws {
        let blobs = try check(image.blobs())
        let manifest = try DockerArchiveManifest(image, named: references)
        var index = LayoutIndex()
        try index.addEach(image.manifest, named: references)
        let output = try OutputFile.open(destination, checkCancellation: checkCancellation)
        let tar = TarWriter(to: output)
        try write(manifest.encoded(), as: DockerArchiveManifest.name, to: tar)
        try writeLayoutContent(index, blobs, to: tar)
        try tar.finish()
        try output.commit()
    }
}

extension DockerArchiveManifest {
    /// The one image, its parts named by where the layout has them.
    fileprivate init(_ image: ExportableImage, named references: [Reference]) throws {
        let document: Manifest
        do { document = try Manifest(decoding: image.manifestBytes) } catch {
            throw ExportError(.damagedBlob(image.manifest.digest, reason: "\(error)"))
        }
        images = [
            Image(
                config: Self.path(of: document.config.digest),
                tags: references.filter { $0.tag != nil }.map(\.familiar),
                layers: image.layers.map { Self.path(of: $0.blob.digest) })
        ]
    }

    private static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }
}
