import Limits

/// How large a Dockerfile and what is made from it may become. Real files are far below each.
public enum Limits {
    /// Bytes of a Dockerfile or of an ignore file.
    public static let fileSize = Limit.dockerfile
    /// Bytes of one line as written, line end not counted.
    public static let lineLength = Limit.dockerfileLine
    /// Heredocs of one instruction.
    public static let heredocCount = Limit.heredocs
    /// Words of a nested substitution: `${A:-${B:-${C}}}` has three.
    public static let expansionDepth = Limit.expansionDepth
    /// Unicode scalars of an expanded word.
    public static let expansionLength = Limit.expandedWord
    /// Comparisons that the patterns of one word's substitutions may take.
    public static let patternSteps = Limit.patternSteps
    /// Patterns of an ignore file.
    public static let ignorePatterns = Limit.ignorePatterns
}
