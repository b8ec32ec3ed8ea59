/// What is looked at in a Dockerfile: the rules of BuildKit's front end, by their names there, and one of our own.
public enum LintRule: String, Sendable, CaseIterable {
    case stageNameCasing = "StageNameCasing"
    case fromAsCasing = "FromAsCasing"
    case noEmptyContinuation = "NoEmptyContinuation"
    case consistentInstructionCasing = "ConsistentInstructionCasing"
    case duplicateStageName = "DuplicateStageName"
    case reservedStageName = "ReservedStageName"
    case jsonArgsRecommended = "JSONArgsRecommended"
    case maintainerDeprecated = "MaintainerDeprecated"
    case undefinedArgInFrom = "UndefinedArgInFrom"
    case workdirRelativePath = "WorkdirRelativePath"
    case undefinedVar = "UndefinedVar"
    case multipleInstructionsDisallowed = "MultipleInstructionsDisallowed"
    case legacyKeyValueFormat = "LegacyKeyValueFormat"
    case invalidBaseImagePlatform = "InvalidBaseImagePlatform"
    case redundantTargetPlatform = "RedundantTargetPlatform"
    case secretsUsedInArgOrEnv = "SecretsUsedInArgOrEnv"
    case invalidDefaultArgInFrom = "InvalidDefaultArgInFrom"
    case fromPlatformFlagConstDisallowed = "FromPlatformFlagConstDisallowed"
    case copyIgnoredFile = "CopyIgnoredFile"
    case invalidDefinitionDescription = "InvalidDefinitionDescription"
    case exposeProtoCasing = "ExposeProtoCasing"
    case exposeInvalidFormat = "ExposeInvalidFormat"
    /// Ours: CVE-2021-42574.
    case misleadingText = "MisleadingText"

    /// Asked for by name with `# check=experimental=`, else silent.
    public var isExperimental: Bool { self == .invalidDefinitionDescription }

    /// What is found, in a sentence.
    public var summary: String {
        switch self {
        case .stageNameCasing: "a stage's name has capitals, although case does not count"
        case .fromAsCasing: "AS is written in another case than its FROM"
        case .noEmptyContinuation: "an empty line stands among continuation lines"
        case .consistentInstructionCasing: "an instruction is written in another case than most"
        case .duplicateStageName: "two stages have one name: only the last can be meant"
        case .reservedStageName: "a stage has a name that means something else"
        case .jsonArgsRecommended: "a shell stands between signals and the container's program"
        case .maintainerDeprecated: "MAINTAINER has been replaced by a label"
        case .undefinedArgInFrom: "FROM uses an argument that no ARG above it declares"
        case .workdirRelativePath: "a working directory depends on that of the base image"
        case .undefinedVar: "a variable is used that nothing sets"
        case .multipleInstructionsDisallowed: "an instruction is overruled by a later one"
        case .legacyKeyValueFormat: "a name and its value are parted by a blank"
        case .invalidBaseImagePlatform: "a base image is for another platform than the stage"
        case .redundantTargetPlatform: "FROM says the platform that it has anyway"
        case .secretsUsedInArgOrEnv: "a secret would stay readable in the image"
        case .invalidDefaultArgInFrom: "without build arguments, FROM names no image"
        case .fromPlatformFlagConstDisallowed: "a stage is tied to one platform"
        case .copyIgnoredFile: "a file is copied that the ignore file keeps out"
        case .invalidDefinitionDescription:
            "a comment above a definition does not begin with its name"
        case .exposeProtoCasing: "a protocol is written in capitals"
        case .exposeInvalidFormat: "EXPOSE has an address or a port of the host"
        case .misleadingText: "a character that is not seen changes how a line looks"
        }
    }

    /// Where BuildKit's own description of the rule stands; of ours, that of what it is about.
    public var helpURL: String {
        if self == .misleadingText { return "https://www.unicode.org/reports/tr36/" }
        return "https://docs.docker.com/reference/build-checks/\(Self.dashed(rawValue))/"
    }

    /// `json-args-recommended` of `JSONArgsRecommended`.
    private static func dashed(_ name: String) -> String {
        let letters = Array(name)
        var result = ""
        for (index, letter) in letters.enumerated() {
            let startsWord =
                letter.isUppercase && index > 0
                && (letters[index - 1].isLowercase
                    || (index + 1 < letters.count && letters[index + 1].isLowercase))
            result += (startsWord ? "-" : "") + letter.lowercased()
        }
        return result
    }
}
