public import Dockerfile

/// One thing that is better written otherwise.
public struct Finding: Sendable, Equatable {
    public var rule: LintRule
    public var range: SourceRange
    /// What was found, on one line.
    public var message: String
    /// What to write instead, on one line.
    public var remedy: String

    public init(_ rule: LintRule, at range: SourceRange, _ message: String, remedy: String) {
        self.rule = rule
        self.range = range
        self.message = Self.oneLine(message)
        self.remedy = Self.oneLine(remedy)
    }

    /// `Dockerfile:3: StageNameCasing: …; …`
    public func line(file: String) -> String {
        "\(file):\(range.start.line): \(rule.rawValue): \(message); \(remedy)"
    }

    /// Words of the file may hold what a terminal obeys.
    static func oneLine(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(400) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
