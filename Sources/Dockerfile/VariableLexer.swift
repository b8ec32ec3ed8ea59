/// One pass over a word: quotes, escapes, `$`.
///
/// Escapes are heeded before quotes, outside and inside of double quotes, and inside of `${}`.
struct VariableLexer {
    struct Options {
        var escape: Unicode.Scalar = "\\"
        var processesQuotes = true
        /// Quotes stay in the result.
        var keepsQuotes = false
        /// Escape characters stay in the result.
        var keepsEscapes = false
        /// An unset variable stays as written.
        var keepsUnset = false

        /// To find the heredocs of a line: words as written.
        static let rawWords = Options(keepsQuotes: true, keepsEscapes: true, keepsUnset: true)
        static let heredocMarker = Options(keepsUnset: true)
        static let quotedHeredocMarker = Options(keepsQuotes: true, keepsUnset: true)
    }

    /// A word and where it began and ended in the scalars read.
    struct Part {
        var text: String
        var start: Int
        var end: Int
    }

    let scalars: [Unicode.Scalar]
    let options: Options
    let lookup: (String) -> String?
    var index = 0
    private var keepsEscapes: Bool
    private var depth = 0
    /// Comparisons of patterns so far.
    var steps = 0
    var referenced: [String] = []
    var unset: [String] = []
    /// Names in either list.
    var seen: Set<String> = []

    init(
        _ scalars: some Sequence<Unicode.Scalar>, options: Options,
        lookup: @escaping (String) -> String?
    ) {
        self.scalars = Array(scalars)
        self.options = options
        self.lookup = lookup
        keepsEscapes = options.keepsEscapes
    }

    mutating func expansion() throws(ExpansionError) -> Expansion {
        var words = SplitWords()
        let text = try read(upTo: nil, words: &words)
        return Expansion(
            text: String(text), words: words.finished(at: scalars.count).map(\.text),
            referenced: referenced, unset: unset)
    }

    mutating func words() throws(ExpansionError) -> [Part] {
        var words = SplitWords()
        _ = try read(upTo: nil, words: &words)
        return words.finished(at: scalars.count)
    }

    var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    mutating func take() -> Unicode.Scalar? {
        guard index < scalars.count else { return nil }
        defer { index += 1 }
        return scalars[index]
    }

    /// The word inside of `${name:-word}`; its own white space parts nothing yet.
    mutating func nested(
        upTo stop: Unicode.Scalar, keepsEscapes keeps: Bool, missing: ExpansionError
    ) throws(ExpansionError) -> [Unicode.Scalar] {
        guard depth < Limits.expansionDepth else { throw .tooDeep(limit: Limits.expansionDepth) }
        depth += 1
        let outer = keepsEscapes
        keepsEscapes = keeps
        defer {
            keepsEscapes = outer
            depth -= 1
        }
        var unused = SplitWords(isCollecting: false)
        do throws(ExpansionError) {
            return try read(upTo: stop, words: &unused)
        } catch {
            if error == .missingBrace { throw missing }
            throw error
        }
    }

    /// Everything up to `stop`, which is taken too, or to the end if `stop` is nil.
    private mutating func read(
        upTo stop: Unicode.Scalar?, words: inout SplitWords
    ) throws(ExpansionError) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        while let next = peek {
            let start = index
            if let stop, next == stop {
                index += 1
                return result
            }
            switch next {
            case "$":
                let value = try dollar()
                try grow(&result, by: value)
                words.addSplitting(value, at: start)
            case "'" where options.processesQuotes:
                let value = try singleQuoted()
                try grow(&result, by: value)
                words.add(value, at: start)
            case "\"" where options.processesQuotes:
                let value = try doubleQuoted()
                try grow(&result, by: value)
                words.add(value, at: start)
            case "<":
                let value = possibleHeredoc()
                try grow(&result, by: value)
                words.add(value, at: start)
            case options.escape:
                index += 1
                if keepsEscapes {
                    words.add([next], at: start)
                    result.append(next)
                }
                guard let escaped = take() else { break }
                words.add([escaped], at: start)
                result.append(escaped)
            default:
                index += 1
                words.addSplitting([next], at: start)
                result.append(next)
            }
        }
        if stop != nil { throw .missingBrace }
        return result
    }

    private func grow(
        _ result: inout [Unicode.Scalar], by value: [Unicode.Scalar]
    ) throws(ExpansionError) {
        guard result.count + value.count <= Limits.expansionLength else {
            throw .tooLong(limit: Limits.expansionLength)
        }
        result.append(contentsOf: value)
    }

    private mutating func singleQuoted() throws(ExpansionError) -> [Unicode.Scalar] {
        index += 1
        var result: [Unicode.Scalar] = options.keepsQuotes ? ["'"] : []
        while let next = take() {
            if next == "'" {
                if options.keepsQuotes { result.append(next) }
                return result
            }
            result.append(next)
        }
        throw .unterminatedQuote("'")
    }

    /// Only `"`, `$` and the escape character itself can be escaped here.
    private mutating func doubleQuoted() throws(ExpansionError) -> [Unicode.Scalar] {
        index += 1
        var result: [Unicode.Scalar] = options.keepsQuotes ? ["\""] : []
        while let next = peek {
            switch next {
            case "\"":
                index += 1
                if options.keepsQuotes { result.append(next) }
                return result
            case "$": try grow(&result, by: dollar())
            case options.escape:
                index += 1
                if keepsEscapes { result.append(next) }
                switch peek {
                case nil: break
                case "\"", "$", options.escape: result.append(take() ?? next)
                default: result.append(next)
                }
            default:
                index += 1
                result.append(next)
            }
        }
        throw .unterminatedQuote("\"")
    }

    /// White space after `<<` belongs to the word, so that `<< EOF` is one.
    private mutating func possibleHeredoc() -> [Unicode.Scalar] {
        index += 1
        guard peek == "<" else { return ["<"] }
        index += 1
        var result: [Unicode.Scalar] = ["<", "<"]
        while let next = peek, next == " " || next == "\t" || next == "\r" {
            result.append(next)
            index += 1
        }
        return result
    }
}

/// Splits what the lexer yields at white space that is neither quoted nor escaped.
struct SplitWords {
    var isCollecting = true
    private var parts: [VariableLexer.Part] = []
    private var current: [Unicode.Scalar] = []
    private var start = 0

    init(isCollecting: Bool = true) { self.isCollecting = isCollecting }

    mutating func add(_ text: [Unicode.Scalar], at index: Int) {
        guard isCollecting else { return }
        if current.isEmpty { start = index }
        current.append(contentsOf: text)
    }

    mutating func addSplitting(_ text: [Unicode.Scalar], at index: Int) {
        guard isCollecting else { return }
        for scalar in text {
            if scalar.isSpace { close(at: index) } else { add([scalar], at: index) }
        }
    }

    mutating func finished(at end: Int) -> [VariableLexer.Part] {
        close(at: end)
        return parts
    }

    private mutating func close(at end: Int) {
        guard !current.isEmpty else { return }
        parts.append(VariableLexer.Part(text: String(current), start: start, end: end))
        current = []
    }
}
