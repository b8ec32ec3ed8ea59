import FoundationEssentials
import Limits

/// How large a document may be before nobody reads it on.
public enum DocumentLimits {
    /// A manifest or an index. Registries commonly refuse more.
    public static let manifestBytes = Limit.manifest
    /// An image's config.
    public static let configBytes = Limit.imageConfig
    /// The layers of one manifest, far beyond what overlay can stack.
    public static let layers = Limit.layers
    /// The manifests of one index.
    public static let indexEntries = Limit.indexEntries
    /// The history entries of one config.
    public static let historyEntries = 16384
}

/// JSON in and out, the same way for every document.
enum DocumentCoding {
    /// Sorted keys, plain slashes, no white space: the same value gives the same bytes everywhere.
    static func encode(_ document: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(document))
        } catch {
            // Strings, integers and collections of them: there is no value that JSON could not hold.
            fatalError("an image document could not be encoded: \(error)")
        }
    }

    static func decode<Document: Decodable>(
        _ type: Document.Type, from bytes: [UInt8], kind: DocumentError.Kind, limit: Int
    ) throws(DocumentError) -> Document {
        guard bytes.count <= limit else {
            throw DocumentError(kind, .tooLarge(bytes: bytes.count, limit: limit))
        }
        if let key = DuplicateKeys.first(in: bytes) {
            throw DocumentError(kind, .duplicateKey(Harmless.text(key, limit: 100)))
        }
        do {
            return try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw DocumentError(kind, problem(of: error))
        } catch {
            throw DocumentError(kind, .malformed(path: "", reason: "not JSON"))
        }
    }

    private static func problem(of error: DecodingError) -> DocumentError.Problem {
        switch error {
        case .keyNotFound(let key, let context):
            .missing(path: path(context.codingPath + [key]))
        case .valueNotFound(_, let context):
            .missing(path: path(context.codingPath))
        case .typeMismatch(_, let context):
            .malformed(path: path(context.codingPath), reason: "of the wrong type")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            .malformed(path: "", reason: "not JSON")
        case .dataCorrupted(let context):
            .malformed(path: path(context.codingPath), reason: context.debugDescription)
        @unknown default:
            .malformed(path: "", reason: "not JSON")
        }
    }

    /// `layers[2].digest`. Foreign keys (labels, annotations) may be in it, so it is made harmless.
    private static func path(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in keys {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return Harmless.text(text, limit: 200)
    }
}

extension KeyedDecodingContainer {
    /// A list, empty where the document has `null` or nothing: Go writes both for the same thing.
    func list<Element: Decodable>(forKey key: Key) throws -> [Element] {
        try decodeIfPresent([Element].self, forKey: key) ?? []
    }

    /// A dictionary, empty where the document has `null` or nothing.
    func dictionary(forKey key: Key) throws -> [String: String] {
        try decodeIfPresent([String: String].self, forKey: key) ?? [:]
    }

    /// Text, empty where the document has `null` or nothing.
    func text(forKey key: Key) throws -> String {
        try decodeIfPresent(String.self, forKey: key) ?? ""
    }
}

extension KeyedEncodingContainer {
    /// Writes a list, a dictionary or a text, and nothing at all for an empty one.
    mutating func encodeUnlessEmpty(_ value: some Encodable & Collection, forKey key: Key) throws {
        if !value.isEmpty { try encode(value, forKey: key) }
    }
}
