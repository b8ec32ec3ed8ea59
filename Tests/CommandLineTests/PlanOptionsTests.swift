import ArgumentParser
import Build
import OCI
import Testing

@testable import lichen

/// What `lichen plan WORDS .` asks the engine for.
private func request(_ words: [String], environment: [String: String] = [:]) throws -> BuildRequest
{
    try PlanCommand.parse(words + ["."]).options.request(environment: environment)
}

private let rows: [OptionRow] = [
    OptionRow("-f", "d") { $0.dockerfile == "d" },
    OptionRow("--file", "https://h/d") { $0.dockerfile == "https://h/d" },
    OptionRow("--build-context", "b=d") { $0.namedContexts == ["b": .directory("d")] },
    OptionRow("--build-arg", "A=1") { $0.buildArguments == ["A": "1"] },
    OptionRow("--build-arg", "A", environment: ["A": "e"]) { $0.buildArguments == ["A": "e"] },
    OptionRow("--build-arg", "SOURCE_DATE_EPOCH=5") { $0.sourceDateEpoch == 5 },
    OptionRow("--target", "t") { $0.target == "t" },
    OptionRow("--platform", "linux/arm64,linux/386") {
        $0.platforms.map(\.architecture) == ["arm64", "386"]
    },
    OptionRow("--pull", "never") { $0.pull == .never },
    OptionRow("--no-cache") { !$0.usesCache },
    OptionRow("--network", "none") { $0.network == .none },
    OptionRow("--allow", "security.insecure") { $0.allowances == [.insecure] },
    OptionRow("--allow", "metadata") { $0.allowances == [.metadata] },
    OptionRow("--plain-http", "h:1") { $0.plainHTTPRegistries == ["h:1"] },
    OptionRow("--insecure-registry", "h:1") { $0.insecureRegistries == ["h:1"] },
]

@Suite struct `Options of plan` {
    @Test(arguments: rows) func `change the request`(row: OptionRow) throws {
        #expect(row.holds(try request(row.words, environment: row.environment)))
        #expect(
            !row.holds(try request([])) || row.words == ["--platform", Platform.host.description])
    }

    @Test func `mean the same as those of build`() throws {
        for row in rows {
            let build = try BuildCommand.parse(row.words + ["."]).options.request(
                environment: row.environment)
            #expect(row.holds(build), "\(row.words)")
        }
    }

    @Test(arguments: [
        ["-f", ""], ["--target", ""], ["--platform", "arm64,"], ["--pull", "x"], ["--push"],
        ["-t", "a"],
        ["--build-context", "a=x", "--build-context", "a=y"], ["--format", "sarif"],
    ]) func `are refused as usage errors where they make no sense`(words: [String]) {
        let error = #expect(throws: (any Error).self) { try PlanCommand.parse(words + ["."]) }
        if let error { #expect(Lichen.exitCode(for: error).rawValue == ExitStatus.usage.rawValue) }
    }

    @Test func `are all in the tests above`() throws {
        // End-to-end tests have those that are not in the request.
        let elsewhere: Set = ["format", "root", "scratch", "help", "version"]
        let tested = Set(
            rows.flatMap(\.words).filter { $0.hasPrefix("-") }.map { String($0.drop { $0 == "-" }) }
        )
        for names in try HelpDump.optionNames(of: PlanCommand.self) {
            #expect(
                names.contains { tested.contains($0) || elsewhere.contains($0) },
                "\(names) has no test")
        }
    }
}
