/// A password or a token that nothing prints by accident.
///
/// Its text comes out through `reveal()` alone, so that a search for that word finds every place where it leaves us. It is
/// not `Codable`, and a dump of a value that holds it shows dots.
public struct Secret: Sendable, Equatable {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The text itself, for what is sent or written to its owner's file.
    public func reveal() -> String { text }

    public var isEmpty: Bool { text.isEmpty }

    /// `message` with dots wherever this secret stands in it: for words of others that may repeat what they were given.
    public func redacted(in message: String) -> String {
        // Short ones stand everywhere by chance, and tell nothing then.
        text.utf8.count < 4 ? message : message.replacing(text, with: "…")
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "…" }
    public var debugDescription: String { "…" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
