import Doctor

/// What `lichen doctor` shows to a person: facts by group, then the verdict, in 80 columns.
struct DoctorTable {
    static let width = 80
    var lines: [String]

    /// - Parameter isVerbose: details of good facts, too; all others have them anyway.
    init(_ facts: [Fact], _ verdict: Verdict, isVerbose: Bool) {
        lines = []
        for group in FactGroup.allCases {
            let members = facts.filter { $0.group == group }
            if members.isEmpty { continue }
            lines.append(group.title)
            var said: Set<String> = []
            for fact in members { lines += Self.lines(of: fact, isVerbose, &said) }
            lines.append("")
        }
        lines += Self.lines(of: verdict)
    }

    /// - Parameter said: details and remedies of the group so far; what many facts share stands there once.
    private static func lines(of fact: Fact, _ isVerbose: Bool, _ said: inout Set<String>)
        -> [String]
    {
        let value = padded(Sanitizer.clean(fact.value), 6)
        let front = "  \(mark(of: fact.state)) \(padded(fact.name, 23)) \(value)"
        let fits = TextWidth.columns(front) + 1 + TextWidth.columns(fact.meaning) <= width
        var lines =
            fits ? ["\(front) \(fact.meaning)"] : [front] + wrapped(fact.meaning, indent: 31)
        if fact.state == .good && !isVerbose { return lines }
        if let detail = fact.detail, said.insert(detail).inserted {
            lines += wrapped(Sanitizer.clean(detail), indent: 9)
        }
        if fact.state != .good, let remedy = fact.remedy, said.insert(remedy).inserted {
            lines += wrapped("> " + Sanitizer.clean(remedy), indent: 9)
        }
        return lines
    }

    private static func mark(of state: Fact.State) -> String {
        switch state {
        case .good: "ok  "
        case .degraded: "less"
        case .missing: "no  "
        case .unknown: "?   "
        }
    }

    private static func lines(of verdict: Verdict) -> [String] {
        var lines = ["RUN here: \(verdict.mode.rawValue)"]
        if !verdict.missing.isEmpty {
            lines += wrapped("needed: " + verdict.missing.joined(separator: ", "), indent: 2)
        }
        for lack in verdict.lacks where verdict.allowsRun {
            lines += wrapped("\(lack.consequence) (\(lack.fact))", indent: 2)
        }
        if let advice = verdict.advice {
            lines.append("What helps most (\(advice.fact)):")
            lines += wrapped(Sanitizer.clean(advice.change), indent: 2)
        }
        return lines
    }

    private static func padded(_ text: String, _ columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - TextWidth.columns(text)))
    }

    /// Breaks at blanks; a word longer than a line stays whole, because it is a path or a command.
    static func wrapped(_ text: String, indent: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            let columns = indent + TextWidth.columns(line) + 1 + TextWidth.columns(String(word))
            if !line.isEmpty && columns > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty { lines.append(line) }
        return lines.map { String(repeating: " ", count: indent) + $0 }
    }
}
