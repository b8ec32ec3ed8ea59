public import Dockerfile

/// What came of looking a file over: findings, or the error for which it could not be read.
public struct LintReport: Sendable, Equatable {
    /// The rule's name that a file has which can't be parsed.
    public static let parseError = "ParseError"

    /// What messages call the file.
    public var file: String
    /// In the order of the file.
    public var findings: [Finding]
    /// The file asks for it: each finding is an error.
    public var isStrict: Bool
    public var error: DockerfileError?
    /// About the report itself: a rule that is skipped, and that there is not.
    public var notes: [String] = []
    private let source: SourceText?

    /// Looks a parsed file over.
    public init(_ input: LintInput) {
        file = input.document.source.file
        findings = Linter.findings(in: input)
        isStrict = input.options.isError
        source = input.document.source
        let instructions = input.document.instructions.compactMap(\.check)
        let named = ([input.options] + instructions).flatMap { $0.skipped + $0.experimental }
        notes = Set(named).subtracting(LintRule.allCases.map(\.rawValue)).sorted().map(Self.unknown)
    }

    /// Newer rules than these are no error; a misspelt one should not go unnoticed.
    private static func unknown(_ name: String) -> String {
        let near = nearest(to: name, among: LintRule.allCases.map(\.rawValue))
        return Finding.oneLine(
            "no rule is called \"\(name)\"" + (near.map { "; did you mean \($0)?" } ?? ""))
    }

    /// A file that is not a Dockerfile.
    public init(_ error: DockerfileError, in bytes: [UInt8]) {
        file = error.file
        findings = []
        isStrict = false
        self.error = error
        // A file that is no text has no lines to show.
        source = try? SourceText(bytes, file: error.file)
    }

    /// Something is an error, and not only a warning.
    public var isFailure: Bool { error != nil || (isStrict && !findings.isEmpty) }

    /// The names of rules with findings, each once, sorted.
    public var rules: [String] { Set(findings.map(\.rule.rawValue)).sorted() }

    /// One thing to print: a finding, or the error.
    struct Entry {
        var rule: String
        var isError: Bool
        var range: SourceRange
        var message: String
        var remedy: String?
        var excerpt: String
    }

    var entries: [Entry] {
        func excerpt(_ range: SourceRange) -> String { source?.excerpt(range, context: 0) ?? "" }
        if let error {
            return [
                Entry(
                    rule: Self.parseError, isError: true, range: error.range,
                    message: "\(error.problem)", remedy: nil, excerpt: excerpt(error.range))
            ]
        }
        return findings.map { finding in
            Entry(
                rule: finding.rule.rawValue, isError: isStrict, range: finding.range,
                message: finding.message, remedy: finding.remedy, excerpt: excerpt(finding.range))
        }
    }
}
