/// A flag as it was written. Quotes and escapes are already removed, variables are not.
struct Flag {
    var name: String
    /// Nil without `=`.
    var value: String?
    /// The whole word.
    var word: Word
    /// Where the value stands.
    var valueRange: SourceRange

    var valueWord: Word { Word(value ?? "", range: valueRange) }
}

/// Splits the flags off the arguments of an instruction.
///
/// Flags are the words at the start that begin with `--`; a bare `--` ends them.
func cutFlags(_ arguments: Piece, escape: Unicode.Scalar) -> (flags: [Flag], rest: Piece) {
    let scalars = arguments.line.scalars
    let end = arguments.bounds.upperBound
    var index = arguments.bounds.lowerBound
    var flags: [Flag] = []
    while true {
        while index < end, scalars[index].isSpace { index += 1 }
        guard index + 1 < end, scalars[index] == "-", scalars[index + 1] == "-" else {
            return (flags, arguments[index..<end].trimmed)
        }
        let start = index
        let text = flagText(scalars, &index, end: end, escape: escape)
        if text.isEmpty || text == "--" { return (flags, arguments[index..<end].trimmed) }
        flags.append(flag(text, arguments[start..<index]))
    }
}

/// Reads one word, without its quotes and escapes.
private func flagText(
    _ scalars: [Unicode.Scalar], _ index: inout Int, end: Int, escape: Unicode.Scalar
) -> String {
    var text: [Unicode.Scalar] = []
    var quote: Unicode.Scalar?
    while index < end {
        let next = scalars[index]
        if next == quote {
            quote = nil
        } else if quote == nil, next.isSpace {
            break
        } else if quote == nil, next == "'" || next == "\"" {
            quote = next
        } else if next == escape {
            if index + 1 < end {
                index += 1
                text.append(scalars[index])
            }
        } else {
            text.append(next)
        }
        index += 1
    }
    return String(text)
}

private func flag(_ text: String, _ piece: Piece) -> Flag {
    let parts = text.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let written = piece.cutAtEquals()?.value ?? piece
    return Flag(
        name: parts.first.map { String($0) } ?? "", value: parts.count > 1 ? String(parts[1]) : nil,
        word: Word(piece.text, range: piece.range), valueRange: written.range)
}

extension Instruction.Kind {
    /// The flags that the instruction takes, without dashes; any other is refused.
    public var flags: [String] {
        switch self {
        case .from: ["platform"]
        case .run: ["mount", "network", "security", "device"]
        case .copy: ["chown", "from", "chmod", "link", "exclude", "parents"]
        case .add: ["chown", "chmod", "link", "keep-git-dir", "checksum", "unpack", "exclude"]
        case .healthcheck: ["interval", "timeout", "start-period", "start-interval", "retries"]
        default: []
        }
    }
}

/// The flags of one instruction, taken one by one.
struct FlagSet {
    let instruction: Instruction.Kind
    private let flags: [Flag]

    init(_ flags: [Flag], of instruction: Instruction.Kind) {
        self.flags = flags
        self.instruction = instruction
    }

    var isEmpty: Bool { flags.isEmpty }

    /// A flag that may come once and has a value; an empty one is as none. BuildKit's flags are so.
    func word(_ name: String) throws(Fault) -> Word? {
        guard let flag = try single(name) else { return nil }
        guard flag.value != nil else {
            throw Fault(.missingFlagValue(flag.name), at: flag.word.range)
        }
        return flag.value == "" ? nil : flag.valueWord
    }

    /// A flag that may come any number of times.
    func words(_ name: String) throws(Fault) -> [Word] {
        assert(instruction.flags.contains(name))
        var words: [Word] = []
        for flag in flags where flag.name == name { words.append(try Self.valued(flag)) }
        return words
    }

    /// `--name`, `--name=true` or `--name=false`.
    func truth(_ name: String) throws(Fault) -> Bool? {
        guard let flag = try single(name) else { return nil }
        guard let value = flag.value else { return true }
        switch value.lowercased() {
        case "true": return true
        case "false": return false
        case "": throw Fault(.missingFlagValue(name), at: flag.word.range)
        default:
            throw Fault(
                .invalidFlagValue(flag: name, value: value, expected: "true or false"),
                at: flag.valueRange)
        }
    }

    /// A flag whose value is one of a few words.
    func choice<Value>(_ name: String, of type: Value.Type) throws(Fault) -> Value?
    where Value: RawRepresentable<String> & CaseIterable {
        guard let flag = try single(name) else { return nil }
        let word = try Self.valued(flag)
        if let value = Value(rawValue: word.text) { return value }
        let known = Value.allCases.map(\.rawValue)
        let near = nearest(to: word.text, among: known).map { "; did you mean \($0)?" } ?? ""
        let expected = "one of " + known.joined(separator: ", ") + near
        throw Fault(
            .invalidFlagValue(flag: name, value: word.text, expected: expected),
            at: word.range)
    }

    func refuseOthers() throws(Fault) {
        for flag in flags where !instruction.flags.contains(flag.name) {
            let near = nearest(to: flag.name, among: instruction.flags)
            throw Fault(
                .unknownFlag(flag.name, instruction: instruction.rawValue, suggestion: near),
                at: flag.word.range)
        }
    }

    private func single(_ name: String) throws(Fault) -> Flag? {
        assert(instruction.flags.contains(name))
        var found: Flag?
        for flag in flags where flag.name == name {
            guard found == nil else { throw Fault(.repeatedFlag(name), at: flag.word.range) }
            found = flag
        }
        return found
    }

    private static func valued(_ flag: Flag) throws(Fault) -> Word {
        guard let value = flag.value, !value.isEmpty else {
            throw Fault(.missingFlagValue(flag.name), at: flag.word.range)
        }
        return flag.valueWord
    }
}
