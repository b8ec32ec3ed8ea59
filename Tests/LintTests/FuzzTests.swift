import Dockerfile
import FoundationEssentials
import TestSupport
import Testing

@testable import Lint

private struct Broken: Error, CustomStringConvertible { var description: String }

private func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Broken(description: what()) }
}

/// Enough of both forms to know that they are JSON.
private struct Whole: Decodable {
    struct Result: Decodable { var ruleId: String }
    struct Run: Decodable { var results: [Result] }
    var runs: [Run]?
}

@Suite struct `A Dockerfile that nobody meant` {
    private let fragments = [
        "\n", "\\\n", "FROM a AS B\n", "FROM --platform=$TARGETPLATFORM ", "ENV x=$y ", "ARG KEY\n",
        "COPY <<E /x\n$z\nE\n", "EXPOSE 1:2/TCP\n", "CMD x\n", "WORKDIR ${", "# check=skip=all\n",
        "# check=experimental=all;error=true\n", "${a:-", "}", "\"", "'", "$", "\u{1B}[31m",
        "\u{202E}", "é", "ONBUILD ", "HEALTHCHECK NONE\n",
    ]

    @Test func `has findings that stand in it, each on one line, in every format`() throws {
        let seeds = lintCases.map { Array($0.dockerfile.utf8) }
        let outcome = try Fuzzing(seeds: seeds, fragments: fragments).run { bytes in
            let report: LintReport
            do throws(DockerfileError) {
                let document = try DockerfileDocument.parse(bytes, file: "Dockerfile")
                report = LintReport(LintInput(document, names: .simple))
            } catch { report = LintReport(error, in: bytes) }
            for finding in report.findings {
                let line = finding.line(file: "f")
                try require(!line.unicodeScalars.contains { $0.value < 0x20 }, line)
                try require(finding.range.start.line >= 1, line)
            }
            let isHarmless = !report.text.unicodeScalars.contains {
                $0 == "\u{1B}" || $0 == "\u{202E}"
            }
            try require(isHarmless, report.text)
            _ = try JSONDecoder().decode(Whole.self, from: Data(report.json.utf8))
            let sarif = Data(report.sarif(version: "1").utf8)
            let found = try JSONDecoder().decode(Whole.self, from: sarif).runs?.first?.results.count
            try require(found == report.entries.count, "SARIF has other findings")
        }
        #expect(outcome.rounds > 100 && outcome.slowest < .seconds(60))
    }
}
