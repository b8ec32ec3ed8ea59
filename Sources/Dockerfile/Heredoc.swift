/// A text that stands in the Dockerfile below its instruction.
public struct Heredoc: Sendable, Equatable {
    /// The word that begins and ends it, quotes removed; for COPY and ADD the file's name.
    public var marker: String
    /// The number before `<<`, if there is one.
    public var descriptor: UInt?
    /// Variables in it are expanded: no part of the marker was quoted.
    public var expands: Bool
    /// Written `<<-`: tabs at the start of its lines are dropped.
    public var stripsTabs: Bool
    /// The lines as written.
    public var body: String
    /// The word in the instruction.
    public var range: SourceRange

    /// The body, without leading tabs where `<<-` asks for it.
    public var content: String {
        guard stripsTabs else { return body }
        var result = String.UnicodeScalarView()
        var atStart = true
        for scalar in body.unicodeScalars {
            if atStart && scalar == "\t" { continue }
            result.append(scalar)
            atStart = scalar == "\n"
        }
        return String(result)
    }

    /// The heredocs whose markers stand in a line, still without bodies.
    ///
    /// A line whose quotes do not match has none: whoever runs it will complain.
    static func markers(in line: Piece) throws(Fault) -> [Heredoc] {
        var lexer = VariableLexer(line.scalars, options: .rawWords) { _ in nil }
        guard let words = try? lexer.words() else { return [] }
        var found: [Heredoc] = []
        for word in words {
            let start = line.bounds.lowerBound + word.start
            let end = line.bounds.lowerBound + word.end
            let range = line[start..<min(max(end, start), line.bounds.upperBound)].range
            guard let heredoc = try marker(word.text, range: range) else { continue }
            found.append(heredoc)
            guard found.count <= Limits.heredocCount else {
                throw Fault(.tooManyHeredocs(limit: Limits.heredocCount), at: range)
            }
        }
        return found
    }

    /// `3<<-'EOF'` taken apart; nil if the word is no heredoc.
    static func marker(_ text: String, range: SourceRange) throws(Fault) -> Heredoc? {
        var rest = text.unicodeScalars[...]
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        guard rest.starts(with: "<<".unicodeScalars) else { return nil }
        rest = rest.dropFirst(2)
        let stripsTabs = rest.first == "-"
        if stripsTabs { rest = rest.dropFirst() }
        rest = rest.drop { $0 == " " || ("\t"..."\r").contains($0) }
        guard !rest.isEmpty, !rest.contains("<") else { return nil }
        do throws(ExpansionError) {
            var plain = VariableLexer(Array(rest), options: .heredocMarker) { _ in nil }
            var raw = VariableLexer(Array(rest), options: .quotedHeredocMarker) { _ in nil }
            let words = try plain.words()
            let rawWords = try raw.words()
            guard words.count == 1, rawWords.count == 1 else { return nil }
            let quotes = quoteCount(words[0].text)
            return Heredoc(
                marker: words[0].text, descriptor: UInt(String(digits)),
                expands: quotes == quoteCount(rawWords[0].text), stripsTabs: stripsTabs, body: "",
                range: range)
        } catch { throw Fault(.invalidHeredoc(text), at: range) }
    }

    private static func quoteCount(_ text: String) -> Int {
        text.unicodeScalars.count { $0 == "'" || $0 == "\"" }
    }
}
