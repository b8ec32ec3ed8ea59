extension DockerfileDocument {
    /// Parses a Dockerfile.
    ///
    /// - Parameters:
    ///   - bytes: the file; a byte-order mark and CR LF line ends are fine.
    ///   - file: what messages call it.
    ///   - ignoresFrontEnd: whether `# syntax=` says nothing, because the front end was named elsewhere.
    /// - Throws: the first thing that is wrong, with its place.
    public static func parse(
        _ bytes: [UInt8], file: String, ignoresFrontEnd: Bool = false
    ) throws(DockerfileError) -> DockerfileDocument {
        let source = try SourceText(bytes, file: file)
        var reader = LineReader(source, ignoresFrontEnd: ignoresFrontEnd)
        var instructions: [Instruction] = []
        while let next = try read(&reader) { instructions.append(next) }
        let start = SourcePosition(line: 1, column: 1)
        let whole = SourceRange(start, start)
        guard !instructions.isEmpty else { throw DockerfileError(.empty, file: file, range: whole) }

        let firstStage = instructions.firstIndex { $0.kind == .from } ?? instructions.endIndex
        for early in instructions[..<firstStage] where early.kind != .arg {
            let name = early.kind.rawValue
            throw DockerfileError(
                .outsideStage(instruction: name), file: file, range: early.keyword.range)
        }
        guard firstStage < instructions.endIndex else {
            throw DockerfileError(.noStages, file: file, range: whole)
        }
        return DockerfileDocument(
            source: source, directives: reader.directives.directives, escape: reader.escape,
            check: reader.directives.check, globalArguments: Array(instructions[..<firstStage]),
            stages: Stage.stages(of: instructions[firstStage...]), warnings: reader.warnings)
    }

    /// Parses the trigger that a base image's config records for ONBUILD.
    ///
    /// - Parameters:
    ///   - file: what messages call it, for instance the base's reference.
    ///   - place: where all its words are said to stand, as the FROM that brings it; nil for places in the trigger itself.
    public static func parseTrigger(
        _ expression: String, file: String, at place: SourceRange? = nil
    ) throws(DockerfileError) -> Instruction {
        let start = SourcePosition(line: 1, column: 1)
        let whole = place ?? SourceRange(start, start)
        let source: SourceText
        do throws(DockerfileError) {
            source = try SourceText(Array(expression.utf8), file: file)
        } catch { throw DockerfileError(error.problem, file: file, range: place ?? error.range) }
        var reader = LineReader(source, at: place)
        guard var instruction = try read(&reader) else {
            throw DockerfileError(.empty, file: file, range: whole)
        }
        if let place { instruction.range = place }
        switch instruction.kind {
        case .onBuild, .from, .maintainer:
            throw DockerfileError(
                .forbiddenTrigger(instruction.kind.rawValue), file: file, range: instruction.range)
        default: break
        }
        if let another = try read(&reader) {
            throw DockerfileError(
                .forbiddenTrigger("a second instruction"), file: file, range: another.range)
        }
        return instruction
    }

    /// The one place where a fault gets the file's name, and the instruction's place if it has none.
    private static func read(_ reader: inout LineReader) throws(DockerfileError) -> Instruction? {
        let file = reader.source.file
        let next = SourcePosition(line: reader.lastLine + 1, column: 1)
        var place = reader.place ?? SourceRange(next, next)
        do throws(Fault) {
            guard let line = try reader.next() else { return nil }
            let whole = line.text.whole.trimmed
            place = whole.range
            guard !whole.isEmpty else { throw Fault(.nothingContinued) }
            return try instruction(whole, line, &reader)
        } catch { throw DockerfileError(error.problem, file: file, range: error.range ?? place) }
    }

    private static func instruction(
        _ piece: Piece, _ line: LineReader.Line, _ reader: inout LineReader
    ) throws(Fault) -> Instruction {
        let (keyword, rest) = piece.cutAtBlanks()
        let kind = try kind(of: keyword)
        let arguments = (rest ?? piece[piece.bounds.upperBound..<piece.bounds.upperBound]).trimmed
        var instruction = Instruction(
            keyword: keyword.word, operation: .maintainer(keyword.word), range: piece.range,
            text: piece.text, source: "", comments: line.comments)
        if kind == .onBuild {
            instruction.operation = .onBuild(try trigger(arguments, line, &reader))
        } else {
            let heredocs = try heredocs(of: kind, arguments, &reader)
            instruction.operation = try InstructionParser.operation(
                kind, arguments, heredocs: heredocs, escape: reader.escape)
        }
        if reader.place == nil, reader.lastLine > instruction.range.end.line {
            let last = reader.source.line(reader.lastLine).unicodeScalars.count
            instruction.range.end = SourcePosition(line: reader.lastLine, column: last + 1)
        }
        instruction.source = reader.source.lines(line.firstLine, reader.lastLine)
        return instruction
    }

    private static func kind(of keyword: Piece) throws(Fault) -> Instruction.Kind {
        if let kind = Instruction.Kind(rawValue: keyword.text.uppercased()) { return kind }
        let known = Instruction.Kind.allCases.map(\.rawValue)
        throw Fault(
            .unknownInstruction(keyword.text, suggestion: nearest(to: keyword.text, among: known)),
            at: keyword.range)
    }

    /// What follows ONBUILD, which may be anything but FROM, MAINTAINER and ONBUILD.
    private static func trigger(
        _ piece: Piece, _ line: LineReader.Line, _ reader: inout LineReader
    ) throws(Fault) -> Trigger {
        guard !piece.isEmpty else { throw Fault(.missingArgument(instruction: "ONBUILD")) }
        if piece.scalars.starts(with: "--".unicodeScalars) {
            let (flags, _) = cutFlags(piece, escape: reader.escape)
            try FlagSet(flags, of: .onBuild).refuseOthers()
        }
        let (keyword, _) = piece.cutAtBlanks()
        switch try kind(of: keyword) {
        case .onBuild, .from, .maintainer:
            throw Fault(.forbiddenTrigger(keyword.text.uppercased()), at: keyword.range)
        default: break
        }
        let nested = try instruction(piece, line, &reader)
        var expression = piece.text
        for heredoc in nested.heredocs { expression += "\n" + heredoc.body + heredoc.marker }
        return Trigger(nested, expression: expression)
    }

    /// Reads the bodies that follow the line. The JSON form has none, whatever it contains.
    private static func heredocs(
        of kind: Instruction.Kind, _ arguments: Piece, _ reader: inout LineReader
    ) throws(Fault) -> [Heredoc] {
        guard kind == .run || kind == .copy || kind == .add,
            case .none = JSONForm(cutFlags(arguments, escape: reader.escape).rest)
        else { return [] }
        var heredocs = try Heredoc.markers(in: arguments)
        for index in heredocs.indices {
            let heredoc = heredocs[index]
            guard
                let body = reader.heredocBody(
                    marker: heredoc.marker, stripsTabs: heredoc.stripsTabs)
            else { throw Fault(.unterminatedHeredoc(marker: heredoc.marker), at: heredoc.range) }
            heredocs[index].body = body
        }
        return heredocs
    }
}

extension Instruction {
    /// The heredocs of RUN, COPY and ADD.
    public var heredocs: [Heredoc] {
        switch operation {
        case .run(let run): run.heredocs
        case .copy(let copy): copy.sources.heredocs
        case .add(let add): add.sources.heredocs
        case .onBuild(let trigger): trigger.instruction.heredocs
        default: []
        }
    }
}
