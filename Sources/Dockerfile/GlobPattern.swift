/// A source of COPY or ADD that may have wildcards, by the rules of Go's filepath.Match.
///
/// `*` and `?` do not match a slash; `[a-z]` and `[^a-z]` match a character; `\` escapes.
public struct GlobPattern: Sendable, Equatable {
    private let pattern: PathPattern

    /// - Throws: `PatternError` where filepath.Match has an error: a `[` that does not end, a `\` at the end.
    public init(_ pattern: String) throws(PatternError) {
        self.pattern = try PathPattern(Array(pattern.utf8)[...], doubleStar: .twoStars)
    }

    /// Whether the text has wildcards at all. BuildKit takes an escape alone for none.
    public static func hasWildcards(_ text: String) -> Bool {
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?")
                || byte == UInt8(ascii: "[")
            {
                return true
            }
        }
        return false
    }

    /// Whether only one path can match.
    public var isLiteral: Bool { pattern.isLiteral }

    /// Whether the whole path matches.
    public func matches(_ path: ArraySlice<UInt8>) -> Bool { pattern.matches(path) }
    public func matches(_ path: [UInt8]) -> Bool { pattern.matches(path[...]) }

    /// Whether something below the directory may match, so that a walk must enter it. "" is the root.
    public func mayMatch(below directory: ArraySlice<UInt8>) -> Bool {
        pattern.mayMatch(below: directory)
    }
}
