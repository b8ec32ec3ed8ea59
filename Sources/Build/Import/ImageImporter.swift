import Archive
import Linux
import OCI
import Store

/// Takes images from files and directories of this machine into a store.
struct ImageImporter: Sendable {
    let store: Store
    /// Throws when the import shall end; called every few MiB.
    let checkCancellation: @Sendable () throws -> Void

    init(
        store: Store, checkCancellation: @escaping @Sendable () throws -> Void = {}
    ) {
        self.store = store
        self.checkCancellation = checkCancellation
    }

    /// Brings the image's documents and layers into the store; what is there is not read again. Blocks.
    ///
    /// Every blob is verified. That a packed layer holds what its diff ID says is seen when it is unpacked.
    ///
    /// - Returns: what it is, and its bytes: a manifest, or an index of which the image for `platform` is in the store.
    /// - Throws: `BuildError` that names `image`, or what `checkCancellation` threw.
    func take(_ image: StoredImage, _ platform: Platform) throws
        -> (descriptor: Descriptor, bytes: [UInt8])
    {
        do { return try takeParts(of: image, platform) } catch let error as ImportError {
            var category = BuildError.Category.input
            if case .system(let error) = error.problem {
                category = .init(error.errno, else: .input)
            }
            throw BuildError(category, "\(image): \(error)", hint: error.hint)
        } catch let error as DocumentError {
            throw BuildError(.input, "\(image): \(error)")
        }
    }

    private func takeParts(of image: StoredImage, _ platform: Platform) throws
        -> (descriptor: Descriptor, bytes: [UInt8])
    {
        let blobImport = BlobImport(store: store, checkCancellation: checkCancellation)
        switch image.format {
        case .ociLayout:
            return try Layout(try DirectoryLayoutFiles(image.path), blobImport)
                .take(image.selector, platform)
        case .ociArchive:
            let members = try ArchiveMembers(image.path, checkCancellation: checkCancellation)
            return try Layout(ArchiveLayoutFiles(members: members), blobImport)
                .take(image.selector, platform)
        case .dockerArchive:
            let members = try ArchiveMembers(image.path, checkCancellation: checkCancellation)
            return try DockerArchive(members, blobImport).take(image.selector)
        }
    }
}
