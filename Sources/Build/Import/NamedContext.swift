public import OCI

/// What a name of `--build-context` stands for: another image, or other files.
///
/// As with BuildKit, such a name goes before a stage of that name, which is then not built, and before an image.
public enum NamedContext: Sendable, Hashable {
    /// Files for COPY.
    case directory(String)
    case remote(RemoteContext)
    /// An image of a registry, or of the store.
    case image(Reference)
    case stored(StoredImage)

    /// The form in which names are compared: as Docker prints them, without `:latest`. Nil for what can be no name of an image.
    public static func canonicalName(_ text: String) -> String? {
        guard let reference = try? Reference(parsing: text) else { return nil }
        let name = reference.familiar
        let suffix = ":latest"
        return name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
    }
}

/// An image in a file or in a directory of this machine.
public struct StoredImage: Sendable, Hashable {
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// A directory. OCI image-spec v1.1, image-layout.md.
        case ociLayout = "oci-layout"
        /// A tar of such a directory.
        case ociArchive = "oci-archive"
        /// What `docker save` writes.
        case dockerArchive = "docker-archive"
    }

    /// Which image is meant, where there are several.
    public enum Selector: Sendable, Hashable {
        /// A tag, or a whole reference.
        case name(String)
        /// Of a manifest or an index; a docker archive has neither.
        case digest(Digest)
    }

    public var format: Format
    public var path: String
    /// Nil for the only image, else for the one with the tag `latest`.
    public var selector: Selector?

    public init(format: Format, path: String, selector: Selector? = nil) {
        self.format = format
        self.path = path
        self.selector = selector
    }
}

extension StoredImage: CustomStringConvertible {
    /// As it is typed: `oci-layout://DIR:tag`.
    public var description: String {
        let suffix =
            switch selector {
            case .name(let name)?: ":\(name)"
            case .digest(let digest)?: "@\(digest)"
            case nil: ""
            }
        return Harmless.text("\(format.rawValue)://\(path)\(suffix)", limit: 300)
    }
}

extension NamedContext {
    /// Where its files are; nil for an image.
    var files: BuildRequest.Context? {
        switch self {
        case .directory(let path): .directory(path)
        case .remote(let context): .remote(context)
        case .image, .stored: nil
        }
    }
}

extension NamedContext: CustomStringConvertible {
    public var description: String {
        switch self {
        case .directory(let path): Harmless.text(path, limit: 300)
        case .remote(let context): context.description
        case .image(let reference): "docker-image://\(reference.familiar)"
        case .stored(let image): image.description
        }
    }
}
