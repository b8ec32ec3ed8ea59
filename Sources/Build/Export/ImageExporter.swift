import Linux
public import OCI
public import Store
import SystemPackage

/// Writes images of a store out: as an OCI layout, as a docker archive, as one tar of their files, or as a directory.
///
/// Everything streams; memory does not grow with the image's bytes. Nothing needs a namespace or a privilege. What is not whole
/// never stands under the final name, unless that is a stream or a directory that was there before.
public struct ImageExporter: Sendable {
    let store: Store
    /// Throws when the export shall end; called every few MiB and for every file.
    let checkCancellation: @Sendable () throws -> Void
    let notice: @Sendable (String) -> Void

    /// - Parameter notice: told in one sentence what an output could not carry.
    public init(
        store: Store, checkCancellation: @escaping @Sendable () throws -> Void = {},
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.store = store
        self.checkCancellation = checkCancellation
        self.notice = notice
    }

    /// Carries out one `--output`. Blocks: call it on a thread that may.
    ///
    /// - Parameter references: an OCI layout names the image by their tags, a docker archive by all of them.
    /// - Throws: `ExportError`, or what `checkCancellation` threw.
    public func export(
        _ image: ExportableImage, to output: ImageOutput, as references: [Reference] = []
    ) throws {
        switch (output.kind, output.isTar, output.destination) {
        case (.oci, false, .path(let path)):
            try writeLayout(
                of: image.manifest, try check(image.blobs()), named: references, to: path)
        case (.oci, _, let destination):
            try writeLayoutArchive(
                of: image.manifest, try check(image.blobs()), named: references, to: destination)
        case (.docker, _, let destination):
            try writeDockerArchive(of: image, named: references, to: destination)
        case (.tar, _, let destination): try writeFileArchive(of: image, to: destination)
        case (.local, _, .path(let path)): try writeLocalDirectory(of: image, to: path)
        case (.local, _, .standardOutput):
            throw ExportError(.unusableDestination("-"), hint: "name a directory")
        }
    }

    /// Opens a blob and sees that it is whole, as far as its size tells: the store's blobs were verified when they came.
    func open(_ blob: Descriptor) throws -> SharedDescriptor {
        guard let file = try store.blob(blob.digest) else {
            throw ExportError(.missingBlob(blob.digest), hint: "pull the image again")
        }
        let size = try ExportError.during("look at blob \(blob.digest)") { () throws(Errno) in
            try file.borrowed.status().size
        }
        guard size == UInt64(blob.size) else {
            throw ExportError(
                .damagedBlob(
                    blob.digest, reason: "it has \(size) bytes instead of \(blob.size)"),
                hint: "lichen store check")
        }
        return SharedDescriptor(file)
    }

    /// Fails early, before anything is written, where a blob is missing.
    func check(_ blobs: [Descriptor]) throws -> [Descriptor] {
        for blob in blobs { _ = try open(blob) }
        return blobs
    }
}
