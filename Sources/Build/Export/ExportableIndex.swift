public import OCI

/// An index whose images, one for each platform, are ready to be written out.
public struct ExportableIndex: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        public var platform: Platform
        public var image: ExportableImage

        public init(platform: Platform, image: ExportableImage) {
            self.platform = platform
            self.image = image
        }

        /// The directory of its files, as buildx calls it: `linux_arm_v7`.
        var directory: String { platform.description.replacing("/", with: "_") }
    }

    /// Of the index, whose bytes are in the store as well.
    public var descriptor: Descriptor
    public var parts: [Part]

    public init(descriptor: Descriptor, parts: [Part]) {
        self.descriptor = descriptor
        self.parts = parts
    }

    /// Every blob once: the index, then each image's as `ExportableImage` has them.
    func blobs() throws(ExportError) -> [Descriptor] {
        var blobs = [descriptor]
        for part in parts { blobs += try part.image.blobs() }
        var seen: Set<Digest> = []
        return blobs.filter { seen.insert($0.digest).inserted }
    }
}
