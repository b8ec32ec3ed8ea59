import Dockerfile
import FoundationEssentials
import Testing

@testable import Lint

/// The parts of SARIF 2.1.0 that a reader can count on: a member without a question mark is required by the schema, or by us.
private struct Sarif: Decodable {
    struct Text: Decodable { var text: String }
    struct Level: Decodable { var level: String }
    struct Rule: Decodable {
        var id: String
        var shortDescription: Text
        var defaultConfiguration: Level
        var helpUri: String?
    }
    struct Driver: Decodable {
        var name: String
        var version: String
        var rules: [Rule]
    }
    struct Tool: Decodable { var driver: Driver }
    struct Region: Decodable, Equatable { var startLine, startColumn, endLine, endColumn: Int }
    struct Artifact: Decodable { var uri: String }
    struct Physical: Decodable {
        var artifactLocation: Artifact
        var region: Region
    }
    struct Location: Decodable { var physicalLocation: Physical }
    struct Result: Decodable {
        var ruleId: String
        var ruleIndex: Int
        var level: String
        var message: Text
        var locations: [Location]
    }
    struct Notification: Decodable { var message: Text }
    struct Invocation: Decodable {
        var executionSuccessful: Bool
        var toolExecutionNotifications: [Notification]
    }
    struct Run: Decodable {
        var invocations: [Invocation]
        var tool: Tool
        var results: [Result]
        var columnKind: String
    }
    var version: String
    var runs: [Run]
}

private struct Plain: Decodable {
    struct Entry: Decodable {
        var rule, level, message, excerpt: String
        var remedy: String?
        var line, column, endLine, endColumn: Int
    }
    var file: String
    var failed: Bool
    var notes: [String]
    var findings: [Entry]
}

private func report(_ dockerfile: String, file: String = "Dockerfile") throws -> LintReport {
    let bytes = Array(dockerfile.utf8)
    do {
        let document = try DockerfileDocument.parse(bytes, file: file)
        return LintReport(LintInput(document, names: .simple))
    } catch { return LintReport(error, in: bytes) }
}

private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
}

@Suite struct `A lint report` {
    private let flawed = "FROM a as b\nCMD x\n"

    @Test func `fails where the file asks for it, and only with findings`() throws {
        #expect(try !report(flawed).isFailure)
        #expect(try report("# check=error=true\n" + flawed).isFailure)
        #expect(try !report("# check=error=true\nFROM a\n").isFailure)
        #expect(try !report("# check=error=true;skip=all\n" + flawed).isFailure)
        #expect(try report("FRO a\n").isFailure)
    }

    @Test func `is text with place, excerpt and remedy`() throws {
        let text = try report(flawed).text
        #expect(
            text.contains("Dockerfile:1: warning: FromAsCasing: as is in another case than FROM"))
        #expect(text.contains("> 1 | FROM a as b\n    |        ^~\nhint: write AS\n"))
        #expect(text.hasSuffix("2 findings\n"))
        #expect(try report("FROM a\n").text == "no findings\n")
        #expect(
            try report("# check=error=true\n" + flawed).text.contains("Dockerfile:2: error: From"))
        let broken = try report("FROM a\nRUM x\n").text
        #expect(
            broken.contains(
                "Dockerfile:2: error: ParseError: unknown instruction RUM; did you mean RUN?"))
    }

    @Test func `is JSON`() throws {
        let plain = try decode(Plain.self, report(flawed).json)
        #expect(plain.file == "Dockerfile" && !plain.failed)
        #expect(plain.findings.map(\.rule) == ["FromAsCasing", "JSONArgsRecommended"])
        let first = try #require(plain.findings.first)
        #expect((first.line, first.column, first.endLine, first.endColumn) == (1, 8, 1, 10))
        #expect(first.level == "warning" && first.remedy == "write AS")
        let broken = try decode(Plain.self, report("RUM\n").json)
        #expect(broken.failed && broken.findings.map(\.rule) == [LintReport.parseError])
        #expect(try decode(Plain.self, report("FROM a\n").json).findings.isEmpty)
    }

    @Test func `is SARIF with all that 2.1.0 requires`() throws {
        let sarif = try decode(
            Sarif.self, report(flawed, file: "a b/Dockerfile").sarif(version: "1.0"))
        #expect(sarif.version == "2.1.0")
        let run = try #require(sarif.runs.first)
        #expect(sarif.runs.count == 1 && run.columnKind == "unicodeCodePoints")
        let driver = run.tool.driver
        #expect(driver.name == "lichen" && driver.version == "1.0")
        #expect(driver.rules.count == LintRule.allCases.count + 1)
        #expect(Set(driver.rules.map(\.id)).count == driver.rules.count)
        for result in run.results {
            #expect(driver.rules[result.ruleIndex].id == result.ruleId)
            #expect(["none", "note", "warning", "error"].contains(result.level))
            #expect(!result.message.text.isEmpty)
            #expect(
                result.locations.map(\.physicalLocation.artifactLocation.uri) == [
                    "a%20b/Dockerfile"
                ])
        }
        let region = run.results.first?.locations.first?.physicalLocation.region
        #expect(region == Sarif.Region(startLine: 1, startColumn: 8, endLine: 1, endColumn: 10))
    }

    @Test func `notes a rule that there is not`() throws {
        let report = try report("# check=skip=StagNameCasing,Other\nFROM a\n")
        let notes = [
            "no rule is called \"Other\"",
            "no rule is called \"StagNameCasing\"; did you mean StageNameCasing?",
        ]
        #expect(report.notes == notes && !report.isFailure)
        #expect(report.text.hasPrefix("Dockerfile: note: no rule is called \"Other\"\n"))
        #expect(report.text.hasSuffix("no findings\n"))
        #expect(try decode(Plain.self, report.json).notes == notes)
        let run = try #require(decode(Sarif.self, report.sarif(version: "1")).runs.first)
        #expect(run.invocations.flatMap(\.toolExecutionNotifications).map(\.message.text) == notes)
    }

    @Test func `is SARIF for a file that is no Dockerfile, too`() throws {
        let run = try #require(decode(Sarif.self, report("RUM\n").sarif(version: "1")).runs.first)
        let result = try #require(run.results.first)
        #expect(result.ruleId == LintReport.parseError && result.level == "error")
        #expect(run.tool.driver.rules[result.ruleIndex].id == result.ruleId)
    }
}
