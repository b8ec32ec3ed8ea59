/// One way to authenticate, as a `WWW-Authenticate` header offers it.
///
/// RFC 9110, section 11.6.1.
public struct Challenge: Hashable, Sendable {
    /// Lower case: `bearer`, `basic`
    public var scheme: String
    /// Names in lower case.
    public var parameters: [String: String]

    public init(scheme: String, parameters: [String: String]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// Reads the values of all `WWW-Authenticate` headers. What cannot be read is left out.
    public static func parse(_ values: [String]) -> [Challenge] {
        values.flatMap { value in
            var reader = ChallengeReader(rest: Array(value.utf8.prefix(8192))[...])
            return reader.challenges()
        }
    }
}

private struct ChallengeReader {
    var rest: ArraySlice<UInt8>

    mutating func challenges() -> [Challenge] {
        var found: [Challenge] = []
        while true {
            skip(" \t,")
            let word = token().lowercased()
            if word.isEmpty { return found }
            skip(" \t")
            if rest.first == UInt8(ascii: "="), !found.isEmpty {
                rest.removeFirst()
                skip(" \t")
                // Of two parameters of one name the first counts.
                let value = rest.first == UInt8(ascii: "\"") ? quoted() : token()
                if found[found.count - 1].parameters[word] == nil {
                    found[found.count - 1].parameters[word] = value
                }
            } else {
                found.append(Challenge(scheme: word, parameters: [:]))
            }
        }
    }

    private mutating func skip(_ characters: String) {
        rest = rest.drop { characters.utf8.contains($0) }
    }

    private mutating func token() -> String {
        let token = rest.prefix { $0 > 0x20 && $0 < 0x7f && !",=\"".utf8.contains($0) }
        rest = rest[token.endIndex...]
        return String(decoding: token, as: UTF8.self)
    }

    private mutating func quoted() -> String {
        var text: [UInt8] = []
        rest.removeFirst()
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() {
                text.append(escaped)
            } else {
                text.append(byte)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
