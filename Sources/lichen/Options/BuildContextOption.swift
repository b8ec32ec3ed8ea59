import ArgumentParser
import Build
import OCI

/// `--build-context NAME=WHAT`.
struct BuildContextOption: Equatable {
    /// In the form in which names are compared.
    var name: String
    var context: NamedContext

    init(name: String, context: NamedContext) {
        self.name = name
        self.context = context
    }

    /// What comes later, or from another tool: each is refused by its name.
    private static let unsupported = ["target:", "input:", "local:", "service:"]

    init(parsing text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw ValidationError("write it as name=directory, or name=oci-layout://directory")
        }
        guard let name = NamedContext.canonicalName(String(parts[0])) else {
            throw ValidationError("\"\(Sanitizer.clean(String(parts[0])))\" can't be a name")
        }
        if ["scratch", "context"].contains(name) {
            throw ValidationError("\(name) always means the same, and is no name for a context")
        }
        self.name = name
        context = try Self.context(String(parts[1]))
    }

    private static func context(_ text: String) throws -> NamedContext {
        if let image = try StoredImage(scheme: text) { return .stored(image) }
        if let name = text.dropping(prefix: "docker-image://") {
            return .image(try Reference(named: String(name)))
        }
        if let remote = try ContextWord.remote(text) { return .remote(remote) }
        if let scheme = unsupported.first(where: text.hasPrefix) {
            throw ValidationError("a context from \(scheme)… is not carried out yet")
        }
        if let colon = text.firstRange(of: "://") {
            throw ValidationError(
                "unknown \"\(Sanitizer.clean(String(text[..<colon.lowerBound])))://\"; there are "
                    + "docker-image://, oci-layout://, oci-archive://, docker-archive://, "
                    + "addresses of git and of http, and directories"
            )
        }
        return .directory(text)
    }
}

extension [BuildContextOption] {
    /// A name that stands here twice.
    var firstRepeated: String? {
        enumerated().first { index, option in
            self[..<index].contains { $0.name == option.name }
        }?.element.name
    }
}

extension StoredImage {
    /// `oci-layout://DIR[:TAG|@DIGEST]`, `oci-archive://FILE[:TAG|@DIGEST]`, `docker-archive://FILE[:NAME]`; nil for anything else.
    ///
    /// As in skopeo, the first colon ends the path: a tag may have more of them.
    init?(scheme text: String) throws {
        for format in Format.allCases {
            guard let rest = text.dropping(prefix: "\(format.rawValue)://") else { continue }
            try self.init(format, rest)
            return
        }
        return nil
    }

    private init(_ format: Format, _ text: Substring) throws {
        var path = text
        var selector: Selector?
        if let at = text.firstRange(of: "@sha256:") {
            guard let digest = Digest(text[text.index(after: at.lowerBound)...]) else {
                throw ValidationError("after @ comes a digest, sha256: and 64 digits")
            }
            if format == .dockerArchive {
                throw ValidationError("the images of a docker archive have names and no digests")
            }
            path = text[..<at.lowerBound]
            selector = .digest(digest)
        } else if let colon = text.firstIndex(of: ":") {
            path = text[..<colon]
            let name = text[text.index(after: colon)...]
            if name.isEmpty { throw ValidationError("after the colon comes a tag") }
            selector = .name(String(name))
        }
        if path.isEmpty { throw ValidationError("a path is missing after \(format.rawValue)://") }
        self.init(format: format, path: String(path), selector: selector)
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
