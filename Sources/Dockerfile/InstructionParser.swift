/// Reads the arguments of one instruction. Line numbers are known to its words alone.
struct InstructionParser {
    let kind: Instruction.Kind
    let escape: Unicode.Scalar
    /// The arguments without flags.
    let arguments: Piece
    let flags: FlagSet
    var heredocs: [Heredoc]

    var name: String { kind.rawValue }

    /// - Throws: a fault that says where, if it is one word's.
    static func operation(
        _ kind: Instruction.Kind, _ arguments: Piece, heredocs: [Heredoc], escape: Unicode.Scalar
    ) throws(Fault) -> Instruction.Operation {
        let (flags, rest) = cutFlags(arguments, escape: escape)
        let parser = InstructionParser(
            kind: kind, escape: escape, arguments: rest, flags: FlagSet(flags, of: kind),
            heredocs: heredocs)
        return try parser.operation()
    }

    private func operation() throws(Fault) -> Instruction.Operation {
        switch kind {
        case .from, .run, .copy, .add, .healthcheck: break
        default: try flags.refuseOthers()
        }
        switch kind {
        case .from: return .from(try from())
        case .arg: return .arg(try definitions())
        case .env: return .env(try assignments())
        case .label: return .label(try assignments())
        case .run: return .run(try run())
        case .copy: return .copy(try copy())
        case .add: return .add(try add())
        case .workdir: return .workdir(try wholeArgument())
        case .user: return .user(try wholeArgument())
        case .cmd: return .cmd(try commandLine(arguments))
        case .entrypoint: return .entrypoint(try commandLine(arguments))
        case .expose: return .expose(try atLeastOne(arguments.wordsBetweenBlanks().map(\.word)))
        case .volume: return .volume(try volumes())
        case .stopSignal: return .stopSignal(try wholeArgument())
        case .shell: return .shell(try shell())
        case .healthcheck: return .healthcheck(try healthcheck())
        case .maintainer: return .maintainer(try wholeArgument())
        case .onBuild: throw Fault(.forbiddenTrigger(name))
        }
    }

    // MARK: - Forms that several instructions share

    /// Everything after the instruction's word, white space inside of it included.
    private func wholeArgument() throws(Fault) -> Word {
        guard !arguments.isEmpty else { throw Fault(.exactlyOneArgument(instruction: name)) }
        return arguments.word
    }

    private func atLeastOne(_ words: [Word]) throws(Fault) -> [Word] {
        guard !words.isEmpty else { throw Fault(.missingArgument(instruction: name)) }
        return words
    }

    /// JSON if it is, else the shell's text. JSON that is not all strings is a mistake.
    func commandLine(_ piece: Piece) throws(Fault) -> CommandForm {
        guard !piece.isEmpty else { throw Fault(.missingArgument(instruction: name)) }
        switch JSONForm(piece) {
        case .strings(let words): return .exec(words)
        case .otherValues: throw Fault(.notAllStrings, at: piece.range)
        case .none: return .shell(piece.word)
        }
    }

    /// JSON if it is, else words between blanks.
    func list() throws(Fault) -> (words: [Word], isJSON: Bool) {
        switch JSONForm(arguments) {
        case .strings(let words): return (words, true)
        case .otherValues: throw Fault(.notAllStrings, at: arguments.range)
        case .none: return (arguments.wordsBetweenBlanks().map(\.word), false)
        }
    }

    // MARK: - Instructions

    private func from() throws(Fault) -> FromInstruction {
        let platform = try flags.word("platform")
        try flags.refuseOthers()
        let words = arguments.wordsBetweenBlanks().map(\.word)
        guard let base = words.first else { throw Fault(.fromArguments) }
        if words.count == 1 { return FromInstruction(platform: platform, base: base) }
        guard words.count == 3, words[1].text.lowercased() == "as" else {
            throw Fault(.fromArguments, at: words[1].range)
        }
        guard isStageName(words[2].text) else {
            throw Fault(.invalidStageName(words[2].text), at: words[2].range)
        }
        return FromInstruction(platform: platform, base: base, asKeyword: words[1], name: words[2])
    }

    private func definitions() throws(Fault) -> [ArgumentDefinition] {
        var result: [ArgumentDefinition] = []
        for word in arguments.quotedWords(escape: escape) {
            guard let (name, value) = word.cutAtEquals() else {
                result.append(ArgumentDefinition(name: word.word))
                continue
            }
            guard !name.isEmpty else {
                throw Fault(.blankName(instruction: self.name), at: word.range)
            }
            result.append(ArgumentDefinition(name: name.word, defaultValue: value.word))
        }
        guard !result.isEmpty else { throw Fault(.missingArgument(instruction: name)) }
        return result
    }

    /// `name=value ...`, or the older `name value`, whose value is the rest of the line.
    private func assignments() throws(Fault) -> [Assignment] {
        let words = arguments.quotedWords(escape: escape)
        guard let first = words.first else { throw Fault(.missingArgument(instruction: name)) }
        guard first.cutAtEquals() != nil else {
            let (key, value) = arguments.cutAtBlanks()
            guard let value else { throw Fault(.missingValue(instruction: name), at: key.range) }
            return [Assignment(name: key.word, value: value.word, isLegacy: true)]
        }
        var result: [Assignment] = []
        for word in words {
            guard let (key, value) = word.cutAtEquals() else {
                throw Fault(.missingEquals(instruction: name, word: word.text), at: word.range)
            }
            guard !key.isEmpty else { throw Fault(.blankName(instruction: name), at: word.range) }
            result.append(Assignment(name: key.word, value: value.word, isLegacy: false))
        }
        return result
    }

    private func volumes() throws(Fault) -> [Word] {
        var words: [Word] = []
        for word in try atLeastOne(list().words) {
            guard word.text.unicodeScalars.contains(where: { !$0.isSpace }) else {
                throw Fault(.blankVolume, at: word.range)
            }
            let scalars = word.text.unicodeScalars.drop(while: \.isSpace).reversed()
            words.append(Word(String(scalars.drop(while: \.isSpace).reversed()), range: word.range))
        }
        return words
    }

    private func shell() throws(Fault) -> [Word] {
        guard !arguments.isEmpty else { throw Fault(.missingArgument(instruction: name)) }
        guard case .exec(let words) = try commandLine(arguments) else {
            throw Fault(.jsonFormRequired(instruction: name), at: arguments.range)
        }
        return try atLeastOne(words)
    }
}

/// A letter, then letters, digits, `-`, `_` and `.`; case does not count.
func isStageName(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, first.isASCII, first.properties.isAlphabetic else {
        return false
    }
    return scalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0))
            || "-_.".unicodeScalars.contains($0)
    }
}
