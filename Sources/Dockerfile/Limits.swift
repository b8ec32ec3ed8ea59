/// How large a Dockerfile and what is made from it may become. Real files are far below each.
public enum Limits {
    /// Bytes of a Dockerfile or of an ignore file.
    public static let fileSize = 4 << 20
    /// Bytes of one line as written, line end not counted.
    public static let lineLength = 1 << 20
    /// Heredocs of one instruction.
    public static let heredocCount = 256
    /// Words of a nested substitution: `${A:-${B:-${C}}}` has three.
    public static let expansionDepth = 64
    /// Unicode scalars of an expanded word.
    public static let expansionLength = 4 << 20
    /// Comparisons that the patterns of one word's substitutions may take.
    public static let patternSteps = 4_000_000
    /// Patterns of an ignore file.
    public static let ignorePatterns = 65_536
}
