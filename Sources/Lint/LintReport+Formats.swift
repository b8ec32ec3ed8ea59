import Dockerfile

extension LintReport {
    /// For people: each finding with its lines and the remedy, then how many there are.
    public var text: String {
        var blocks = entries.map { entry in
            let level = entry.isError ? "error" : "warning"
            let place = "\(file):\(entry.range.start.line)"
            let remedy = entry.remedy.map { "hint: \($0)\n" } ?? ""
            return "\(place): \(level): \(entry.rule): \(entry.message)\n\(entry.excerpt)\(remedy)"
        }
        let count = blocks.count
        blocks.insert(contentsOf: notes.map { "\(file): note: \($0)\n" }, at: 0)
        blocks.append(
            count == 0 ? "no findings\n" : "\(count) \(count == 1 ? "finding" : "findings")\n")
        return blocks.joined(separator: "\n")
    }

    /// One object; docs/lint.md has its members.
    public var json: String {
        let findings = entries.map { entry in
            JSONText.members([
                "column": .number(Int64(entry.range.start.column)),
                "endColumn": .number(Int64(entry.range.end.column)),
                "endLine": .number(Int64(entry.range.end.line)),
                "excerpt": .string(entry.excerpt),
                "level": .string(entry.isError ? "error" : "warning"),
                "line": .number(Int64(entry.range.start.line)),
                "message": .string(entry.message),
                "remedy": .optional(entry.remedy),
                "rule": .string(entry.rule),
            ])
        }
        return JSONText.object([
            "failed": .truth(isFailure), "file": .string(file), "findings": .list(findings),
            "notes": .strings(notes),
        ]).rendered() + "\n"
    }

    /// Static Analysis Results Interchange Format 2.1.0.
    ///
    /// - Parameter version: of the tool.
    public func sarif(version: String) -> String {
        let rules = LintRule.allCases.map { rule in
            JSONText.object([
                "defaultConfiguration": .object(["level": .string("warning")]),
                "helpUri": .string(rule.helpURL),
                "id": .string(rule.rawValue),
                "shortDescription": .object(["text": .string(rule.summary)]),
            ])
        }
        let unreadable = JSONText.object([
            "defaultConfiguration": .object(["level": .string("error")]),
            "id": .string(Self.parseError),
            "shortDescription": .object(["text": .string("the file is not a Dockerfile")]),
        ])
        let driver = JSONText.object([
            "name": .string("lichen"), "rules": .list(rules + [unreadable]),
            "version": .string(version),
        ])
        let notifications = notes.map { note in
            JSONText.object([
                "level": .string("note"), "message": .object(["text": .string(note)]),
            ])
        }
        let invocation = JSONText.object([
            "executionSuccessful": .truth(true),
            "toolExecutionNotifications": .list(notifications),
        ])
        let run = JSONText.object([
            "columnKind": .string("unicodeCodePoints"),
            "invocations": .list([invocation]),
            "results": .list(entries.map(result)),
            "tool": .object(["driver": driver]),
        ])
        return JSONText.object([
            "$schema": .string("https://json.schemastore.org/sarif-2.1.0.json"),
            "runs": .list([run]), "version": .string("2.1.0"),
        ]).rendered() + "\n"
    }

    private func result(_ entry: Entry) -> JSONText {
        let index =
            LintRule.allCases.firstIndex { $0.rawValue == entry.rule } ?? LintRule.allCases.count
        let region = JSONText.object([
            "endColumn": .number(Int64(entry.range.end.column)),
            "endLine": .number(Int64(entry.range.end.line)),
            "startColumn": .number(Int64(entry.range.start.column)),
            "startLine": .number(Int64(entry.range.start.line)),
        ])
        let place = JSONText.object([
            "artifactLocation": .object(["uri": .string(Self.relativeURI(file))]),
            "region": region,
        ])
        let message = entry.message + (entry.remedy.map { "; \($0)" } ?? "")
        return .object([
            "level": .string(entry.isError ? "error" : "warning"),
            "locations": .list([.object(["physicalLocation": place])]),
            "message": .object(["text": .string(message)]),
            "ruleId": .string(entry.rule), "ruleIndex": .number(Int64(index)),
        ])
    }

    /// A path as a URI reference: everything but letters, digits and a few signs percent-encoded. RFC 3986, section 4.2.
    private static func relativeURI(_ path: String) -> String {
        var result = ""
        for byte in path.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~", "/":
                result.unicodeScalars.append(scalar)
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                result += "%" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        return result
    }
}
