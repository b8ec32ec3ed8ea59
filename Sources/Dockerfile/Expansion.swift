/// What a word became, and the variables that decided it.
public struct Expansion: Sendable, Equatable {
    public var text: String
    /// The parts between unquoted white space; what `text` is for where a single value is wanted.
    public var words: [String]
    /// Names that had a value, in the order of their first use.
    public var referenced: [String]
    /// Names that had none, also where a default stood in.
    public var unset: [String]
}

/// A word whose variables cannot be expanded.
public enum ExpansionError: Error, Equatable, Sendable {
    case unterminatedQuote(Character)
    case missingBrace
    case missingSlash
    case badSubstitution
    case unsupportedModifier(String)
    /// `${name:?message}` of a variable that is unset or empty.
    case required(name: String, message: String)
    case invalidPattern(String)
    case tooDeep(limit: Int)
    case tooLong(limit: Int)
    case tooComplex
}

extension ExpansionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unterminatedQuote(let quote): "the quote \(quote) is not closed"
        case .missingBrace: "a ${ has no closing }"
        case .missingSlash: "a ${name/pattern has no second /"
        case .badSubstitution: "a ${ is not followed by a name"
        case .unsupportedModifier(let text): "unsupported modifier \(text) in ${}"
        case .required(let name, let message): "\(name): \(message)"
        case .invalidPattern(let text): "invalid pattern \(text) in ${}"
        case .tooDeep(let limit): "substitutions are nested deeper than \(limit)"
        case .tooLong(let limit): "the expanded text is longer than \(limit) characters"
        case .tooComplex: "the patterns of this word take too long to match"
        }
    }
}

/// Expands variables in words as BuildKit's front end does, which is a part of what a shell does.
///
/// `$name` and `${name}`; `:-` `-` `:+` `+` `:?` `?` with a word of their own; `#` `##` `%` `%%` and
/// `/` `//` with patterns of `*` and `?`. Quotes and escapes are removed.
/// A `$` in a replacement is just a dollar.
public struct Expander: Sendable {
    /// What escapes a character: `\`, or a backtick by `# escape=`.
    public var escape: Unicode.Scalar
    /// Off for the bodies of heredocs, where quotes are text.
    public var processesQuotes = true

    public init(escape: Unicode.Scalar = "\\") { self.escape = escape }

    /// For the body of a heredoc: quotes are text, and `\` escapes whatever the directive says.
    public static let heredocBody: Expander = {
        var expander = Expander()
        expander.processesQuotes = false
        return expander
    }()

    /// Expands one word. Values come from `lookup`; nil means unset.
    public func expand(
        _ word: String, _ lookup: @escaping (String) -> String?
    ) throws(ExpansionError) -> Expansion {
        guard word.unicodeScalars.contains(where: isSpecial) else {
            let words = word.unicodeScalars.split(whereSeparator: \.isSpace).map { String($0) }
            return Expansion(text: word, words: words, referenced: [], unset: [])
        }
        var options = VariableLexer.Options()
        options.escape = escape
        options.processesQuotes = processesQuotes
        var lexer = VariableLexer(word.unicodeScalars, options: options, lookup: lookup)
        return try lexer.expansion()
    }

    /// Whether expansion may change the text.
    public func mayChange(_ word: String) -> Bool { word.unicodeScalars.contains(where: isSpecial) }

    private func isSpecial(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "$" || scalar == escape || scalar == "<"
            || (processesQuotes && (scalar == "'" || scalar == "\""))
    }
}
