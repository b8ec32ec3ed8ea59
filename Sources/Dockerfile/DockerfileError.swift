/// A Dockerfile that cannot be built, and where.
public struct DockerfileError: Error, Equatable, Sendable {
    public var problem: Problem
    /// What the file was called when it was read.
    public var file: String
    public var range: SourceRange

    public init(_ problem: Problem, file: String, range: SourceRange) {
        self.problem = problem
        self.file = file
        self.range = range
    }

    public enum Problem: Equatable, Sendable {
        // The text.
        case fileTooLarge(limit: Int)
        case lineTooLong(limit: Int)
        case notUTF8
        case empty
        case nothingContinued

        // Parser directives.
        case repeatedDirective(String)
        case invalidEscape(String)
        case invalidCheck(String)
        case externalFrontEnd(String)

        // Heredocs.
        case unterminatedHeredoc(marker: String)
        case invalidHeredoc(String)
        case tooManyHeredocs(limit: Int)
        case heredocAsDestination(instruction: String)
        case unusedHeredoc(marker: String)

        // Instructions and their arguments.
        case unknownInstruction(String, suggestion: String?)
        case missingArgument(instruction: String)
        case exactlyOneArgument(instruction: String)
        case missingDestination(instruction: String)
        case fromArguments
        case missingValue(instruction: String)
        case missingEquals(instruction: String, word: String)
        case blankName(instruction: String)
        case blankVolume
        case notAllStrings
        case jsonFormRequired(instruction: String)
        case invalidStageName(String)
        case forbiddenTrigger(String)
        case healthcheckType(String)
        case healthcheckNoneArguments
        case missingHealthcheckCommand
        case invalidPort(String)
        case invalidSignal(String)

        // Flags.
        case unknownFlag(String, instruction: String, suggestion: String?)
        case repeatedFlag(String)
        case missingFlagValue(String)
        case invalidFlagValue(flag: String, value: String, expected: String)
        case variableInFrom(flag: String)
        case invalidDuration(flag: String, value: String)
        case shortDuration(flag: String, value: String)

        // RUN --mount and --device.
        case malformedList(flag: String)
        case unknownMountOption(String, suggestion: String?)
        case unknownMountType(String, suggestion: String?)
        case invalidMountOption(String, value: String)
        case mountOptionWithoutValue(String)
        case mountOptionNotForType(String, type: String)
        case secretWithoutName
        case secretWithSourceAndID
        case repeatedDeviceName(String)

        // Stages.
        case noStages
        case outsideStage(instruction: String)
        case blankBase(String)
        case unknownStage(String, suggestion: String?)
        case stageIndexOutOfRange(Int, count: Int)
        case cyclicStages([String])
        case laterStage(String)

        // Variables.
        case expansion(ExpansionError)
    }

    /// The lines in question, numbered, with a caret. `source` is what was parsed.
    public func excerpt(in source: SourceText) -> String {
        source.excerpt(range)
    }

    /// The lines in question of a file that may itself be malformed: nothing, if it is not UTF-8.
    public func excerpt(in bytes: [UInt8]) -> String {
        guard let source = try? SourceText(bytes, file: file) else { return "" }
        return source.excerpt(range)
    }
}

/// What the parser of one instruction throws; the file's name joins it where instructions are walked.
struct Fault: Error {
    var problem: DockerfileError.Problem
    /// Nil: the whole instruction.
    var range: SourceRange?

    init(_ problem: DockerfileError.Problem, at range: SourceRange? = nil) {
        self.problem = problem
        self.range = range
    }
}
