/// A parsed Dockerfile as JSON, for editors and for tests.
///
/// The same document gives the same bytes. Members that say nothing are left out: a flag that is not
/// there, an empty list of comments. Positions are `"line:column"`, a range is two with a `-` between.
public enum DockerfileJSON {
    public static func encode(_ document: DockerfileDocument) -> String {
        let value = JSONText.members([
            "check": check(document.check),
            "directives": nonEmpty(document.directives.map(directive)),
            "escape": .string(String([document.escape])),
            "file": .string(document.source.file),
            "globalArguments": nonEmpty(document.globalArguments.map(instruction)),
            "stages": .list(document.stages.map(stage)),
            "warnings": nonEmpty(document.warnings.map(warning)),
        ])
        return value.rendered() + "\n"
    }

    private static func stage(_ stage: Stage) -> JSONText {
        .members([
            "from": instruction(stage.instruction),
            "index": .number(Int64(stage.index)),
            "instructions": .list(stage.instructions.map(instruction)),
            "name": .optional(stage.name),
        ])
    }

    static func instruction(_ instruction: Instruction) -> JSONText {
        .members([
            "arguments": arguments(of: instruction.operation),
            "comments": nonEmpty(instruction.comments.map(word)),
            "kind": .string(instruction.kind.rawValue),
            "keyword": word(instruction.keyword),
            "range": range(instruction.range),
            "text": .string(instruction.text),
        ])
    }

    private static func directive(_ directive: Directive) -> JSONText {
        .members(["name": .string(directive.name.rawValue), "value": word(directive.value)])
    }

    private static func check(_ options: CheckOptions) -> JSONText? {
        guard options != CheckOptions() else { return nil }
        return .members([
            "error": truth(options.isError),
            "experimental": options.allExperimental ? .string("all") : words(options.experimental),
            "skip": options.skipsAll ? .string("all") : words(options.skipped),
        ])
    }

    private static func warning(_ warning: ParseWarning) -> JSONText {
        .members([
            "message": .string(warning.message), "range": range(warning.range),
            "rule": .string(warning.kind.rawValue),
        ])
    }

    // MARK: - Parts

    static func word(_ word: Word) -> JSONText {
        .object(["range": range(word.range), "text": .string(word.text)])
    }

    static func range(_ range: SourceRange) -> JSONText {
        let (start, end) = (range.start, range.end)
        return .string("\(start.line):\(start.column)-\(end.line):\(end.column)")
    }

    static func nonEmpty(_ items: [JSONText]) -> JSONText? { items.isEmpty ? nil : .list(items) }
    static func truth(_ truth: Bool) -> JSONText? { truth ? .truth(true) : nil }
    private static func words(_ texts: [String]) -> JSONText? {
        nonEmpty(texts.map { .string($0) })
    }
}
