import ArgumentParser
import Testing

@testable import lichen

@Suite struct `Options of prune` {
    @Test(arguments: [
        ("90s", Int64(90)), ("30m", 1800), ("12h", 43200), ("7d", 604_800), ("4w", 2_419_200),
        ("1h30m", 5400), ("0s", 0),
    ])
    func `name a time`(text: String, seconds: Int64) throws {
        #expect(try PruneCommand.parse(["--older-than", text]).olderThan == seconds)
    }

    @Test(arguments: [
        ("0", Int64(0)), ("500", 500), ("1B", 1), ("3kB", 3000), ("500MB", 500_000_000),
        ("20GiB", 20 << 30), ("1TB", 1_000_000_000_000),
    ])
    func `name a size`(text: String, bytes: Int64) throws {
        #expect(try PruneCommand.parse(["--keep-size", text]).keepSize == bytes)
    }

    @Test(arguments: [
        ["--older-than", ""], ["--older-than", "7"], ["--older-than", "d"],
        ["--older-than", "-1d"], ["--older-than", "7y"], ["--older-than", "99999999999999d"],
        ["--keep-size", ""], ["--keep-size", "GB"], ["--keep-size", "-1"],
        ["--keep-size", "1.5GB"], ["--keep-size", "20 GB"],
        ["--keep-size", "9999999999999999GB"], ["--all", "--older-than", "1d"],
        ["--all", "--keep-size", "1GB"],
    ])
    func `are refused where they make no sense`(words: [String]) {
        let error = #expect(throws: (any Error).self) { try PruneCommand.parse(words) }
        if let error { #expect(Lichen.exitCode(for: error).rawValue == ExitStatus.usage.rawValue) }
    }

    @Test func `say when something was used`() {
        #expect(PruneValues.ago(-5) == "just now")
        #expect(PruneValues.ago(59) == "59s ago")
        #expect(PruneValues.ago(7200) == "2h ago")
        #expect(PruneValues.ago(30 * 86400) == "30d ago")
    }
}
