/// A manifest, an index or a config that cannot be used, and why.
public struct DocumentError: Error, Equatable, Sendable {
    public enum Kind: String, Sendable { case manifest, index, config }

    public enum Problem: Equatable, Sendable {
        case tooLarge(bytes: Int, limit: Int)
        case malformed(path: String, reason: String)
        case missing(path: String)
        case duplicateKey(String)
        case tooMany(path: String, count: Int, limit: Int)
        /// Docker's schema 1, which no builder of today writes.
        case schema1
        case unsupportedSchema(Int)
        /// `manifests` and `layers` in one document: one reader would see an index, another an image.
        case ambiguous
        /// The document says that it is something else than its structure, or than it was announced as.
        case mediaTypeMismatch(stated: MediaType, expected: String)
        /// Valid, but not what was asked for.
        case unexpectedKind(found: Kind)
        /// A manifest of something else than an image: its config is of this type.
        case notAnImage(config: MediaType)
        /// A layer of a type that is none of a file system's changes: encrypted, a chart, a program.
        case unknownLayer(MediaType, index: Int)
        /// A config whose diff IDs do not belong to the manifest's layers.
        case layerCount(manifest: Int, config: Int)
    }

    public var kind: Kind
    public var problem: Problem

    public init(_ kind: Kind, _ problem: Problem) {
        self.kind = kind
        self.problem = problem
    }
}

extension DocumentError: CustomStringConvertible {
    public var description: String { "image \(kind.rawValue): \(problem)" }
}

extension DocumentError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let limit): "\(bytes) bytes, more than the limit of \(limit)"
        case .malformed("", let reason): reason
        case .malformed(let path, let reason): "\(path) is \(reason)"
        case .missing(let path): "\(path) is missing"
        case .duplicateKey(let key): "the key \"\(key)\" occurs twice"
        case .tooMany(let path, let count, let limit):
            "\(path) has \(count) entries, more than the limit of \(limit)"
        case .schema1: "Docker schema 1 is not supported; push the image again with a newer tool"
        case .unsupportedSchema(let version): "schema version \(version) is not supported"
        case .ambiguous: "both an index and a manifest"
        case .mediaTypeMismatch(let stated, let expected):
            "the media type \(stated) does not fit \(expected)"
        case .unexpectedKind(let found): "it is an image \(found.rawValue)"
        case .notAnImage(let config): "no image, but an artifact: its config is \(config)"
        case .unknownLayer(let type, let index):
            "layers[\(index)] is \(type), which is no layer that can be unpacked"
        case .layerCount(let manifest, let config):
            "\(config) diff IDs for the \(manifest) layers of the manifest"
        }
    }
}

/// Foreign text on its way to a terminal.
public enum Harmless {
    /// `text` without control and formatting characters, and at most `limit` characters of it.
    public static func text(_ text: some StringProtocol, limit: Int) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned: continue
            case .lineSeparator, .paragraphSeparator: result.append(" ")
            default: result.unicodeScalars.append(scalar)
            }
            count += 1
            if count == limit { return result + "…" }
        }
        return result
    }
}
