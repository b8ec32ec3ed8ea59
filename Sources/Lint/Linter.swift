import Dockerfile

/// Looks a Dockerfile over, rule by rule.
///
/// A comment `# check=skip=…` directly above an instruction counts for what is found there; the directive at the top for all.
public struct Linter {
    let input: LintInput
    let global: GlobalScope?
    private var findings: [Finding] = []

    private init(_ input: LintInput) {
        self.input = input
        // A default that can't be expanded is an error of its own, with its place.
        global = try? GlobalScope(
            input.document, arguments: input.buildArguments, predefined: input.predefined)
    }

    /// What is found, in the order of the file.
    public static func findings(in input: LintInput) -> [Finding] {
        var linter = Linter(input)
        linter.checkText()
        linter.checkStageNames()
        linter.checkBases()
        linter.checkStages()
        return linter.findings.sorted {
            ($0.range.start, $0.rule.rawValue) < ($1.range.start, $1.rule.rawValue)
        }
    }

    var document: DockerfileDocument { input.document }

    /// Notes a finding, unless the file or a comment above one of `instructions` has skipped its rule.
    mutating func report(
        _ rule: LintRule, at range: SourceRange, in instructions: Instruction?...,
        because message: String,
        remedy: String
    ) {
        let asked = [input.options] + instructions.compactMap { $0?.check }
        let isWanted =
            rule.isExperimental
            ? asked.contains { $0.allExperimental || $0.experimental.contains(rule.rawValue) }
            : !asked.contains { $0.skipsAll || $0.skipped.contains(rule.rawValue) }
        let finding = Finding(rule, at: range, message, remedy: remedy)
        if isWanted, !findings.contains(finding) { findings.append(finding) }
    }

    /// A word, expanded with global arguments alone.
    func expandGlobally(_ word: Word, _ scope: GlobalScope?) -> Expansion? {
        guard let scope else { return nil }
        return try? document.expand(word) { scope.value($0) }
    }
}
