/// The name of an image: a registry, a repository there, and a tag or a digest.
///
/// Names are completed as Docker does: `debian` is `docker.io/library/debian:latest`.
///
/// distribution, reference grammar; OCI distribution-spec v1.1, "Pulling manifests".
public struct Reference: Hashable, Sendable {
    /// `docker.io`, `localhost:5000`, `[::1]:5000`
    public let registry: String
    /// The path below the registry: `library/debian`
    public let repository: String
    /// Nil only where there is a digest.
    public let tag: String?
    /// Where there is one, it decides what is pulled, and the tag is decoration.
    public let digest: Digest?

    /// The registry of names without one.
    public static let defaultRegistry = "docker.io"
    /// The longest repository, in bytes.
    public static let maximumRepositoryLength = 255
    /// The longest tag, in bytes.
    public static let maximumTagLength = 128

    /// Reads a reference as a user or a Dockerfile writes it.
    public init(parsing text: some StringProtocol) throws(ReferenceError) {
        let text = String(text)
        func refuse(_ problem: ReferenceError.Problem) -> ReferenceError {
            ReferenceError(text: Harmless.text(text, limit: 300), problem: problem)
        }
        guard !text.isEmpty else { throw refuse(.empty) }
        guard text.utf8.count <= 1024 else { throw refuse(.tooLong(limit: 1024)) }
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            digest = Digest(rest[rest.index(after: at)...])
            if digest == nil { throw refuse(.invalidDigest) }
            rest = rest[..<at]
        }
        var tag: String?
        // A colon after the last slash begins a tag; one before it a port.
        let lastSlash = rest.lastIndex(of: "/")
        if let colon = rest.lastIndex(of: ":"), lastSlash.map({ $0 < colon }) ?? true {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        let (registry, repository) = Self.split(rest)
        if digest == nil && repository.utf8.count == 64 && Digest(hex: repository) != nil
            && !rest.contains("/")
        {
            throw refuse(.bareDigest)
        }
        let completed =
            registry == Self.defaultRegistry && !repository.contains("/")
            ? "library/" + repository : repository
        if let problem = ReferenceGrammar.problem(
            registry: registry, repository: completed, tag: tag)
        {
            throw refuse(problem)
        }
        self.registry = registry
        self.repository = completed
        self.digest = digest
        self.tag = tag ?? (digest == nil ? "latest" : nil)
    }

    /// The same repository by another tag or digest; one of them is given.
    public func with(tag: String?, digest: Digest?) throws(ReferenceError) -> Reference {
        if tag == nil && digest == nil {
            throw ReferenceError(text: description, problem: .empty)
        }
        if let tag, !ReferenceGrammar.isTag(tag) {
            throw ReferenceError(text: Harmless.text(tag, limit: 300), problem: .invalidTag)
        }
        return Reference(unchecked: registry, repository, tag, digest)
    }

    /// The same repository, by digest alone.
    public func pinned(to digest: Digest) -> Reference {
        Reference(unchecked: registry, repository, nil, digest)
    }

    private init(
        unchecked registry: String, _ repository: String, _ tag: String?, _ digest: Digest?
    ) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// Docker's rule: the part before the first slash is a registry where it has a dot or a colon, is `localhost`, or
    /// has a capital letter (no repository may).
    private static func split(_ name: Substring) -> (registry: String, repository: String) {
        guard let slash = name.firstIndex(of: "/") else { return (defaultRegistry, String(name)) }
        let first = name[..<slash]
        let isRegistry =
            first.contains(".") || first.contains(":") || first == "localhost"
            || first != first.lowercased()
        guard isRegistry else { return (defaultRegistry, String(name)) }
        let repository = String(name[name.index(after: slash)...])
        return (first == "index.docker.io" ? defaultRegistry : String(first), repository)
    }
}

extension Reference: CustomStringConvertible {
    /// Complete: `docker.io/library/debian:12@sha256:…`.
    public var description: String { "\(registry)/\(repository)\(suffix)" }

    /// The registry and the repository alone.
    public var name: String { "\(registry)/\(repository)" }

    /// As short as Docker prints it: `debian:12`.
    public var familiar: String {
        guard registry == Self.defaultRegistry else { return description }
        let library = "library/"
        let isOfficial =
            repository.hasPrefix(library) && !repository.dropFirst(library.count).contains("/")
        let short = (isOfficial ? String(repository.dropFirst(library.count)) : repository) + suffix
        // What would be read as another registry's repository, or as a digest, is written whole.
        return (try? Reference(parsing: short)) == self ? short : description
    }

    private var suffix: String {
        (tag.map { ":" + $0 } ?? "") + (digest.map { "@" + $0.description } ?? "")
    }
}

extension Reference: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(ReferenceError) {
            self = try Reference(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not an image reference")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
