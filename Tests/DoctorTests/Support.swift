import FoundationEssentials
import Glibc
import TestSupport

/// Longer than any limit of an examination.
func pauseForLong() { sleep(4) }

/// Fixtures/deny.c, built once: the launcher of simulated hosts.
enum Deny {
    private static let program: Result<(TemporaryDirectory, String), any Error> = Result {
        let directory = try TemporaryDirectory()
        let path = directory.path("deny")
        try Command(
            ["cc", "-D_GNU_SOURCE", "-O1", "-o", path, TestHost.fixture("deny.c"), "-lseccomp"]
        ).run().required()
        return (directory, path)
    }

    static func path() throws -> String { try program.get().1 }
}

/// The JSON of `lichen doctor --json`.
struct Report: Decodable {
    struct Fact: Decodable {
        var name, group, value, state, meaning: String
        var detail, remedy: String?
    }

    struct Verdict: Decodable {
        struct Lack: Decodable { var fact, consequence: String }
        struct Advice: Decodable { var fact, change: String }
        var mode: String
        var run: Bool
        var missing: [String]
        var lacks: [Lack]
        var advice: Advice?
    }

    var version: Int
    var verdict: Verdict
    var facts: [Fact]

    subscript(name: String) -> Fact? { facts.first { $0.name == name } }

    /// Facts whose probe had no answer in the time that it may take.
    private var late: [Fact] {
        facts.filter { $0.state == "unknown" && $0.detail?.contains("no answer") == true }
    }

    /// What `lichen doctor --json` says, started by `launcher`. Where a probe was late it is asked again: on a machine with much
    /// else to do that comes to pass, and where the probe hangs it is the same each time.
    static func of(
        _ lichen: LichenProgram, _ launcher: [String] = [], _ environment: [String: String] = [:]
    ) throws -> (report: Report, outcome: Command.Outcome) {
        var best = try once(lichen, launcher, environment)
        for _ in 0..<4 where !best.report.late.isEmpty {
            let next = try once(lichen, launcher, environment)
            if next.report.late.count < best.report.late.count { best = next }
        }
        return best
    }

    private static func once(
        _ lichen: LichenProgram, _ launcher: [String], _ environment: [String: String]
    ) throws -> (report: Report, outcome: Command.Outcome) {
        var command = lichen.command(["doctor", "--json"], environment)
        command.arguments = launcher + command.arguments
        let outcome = try command.run()
        do {
            return (
                try JSONDecoder().decode(Report.self, from: Data(outcome.output)), outcome
            )
        } catch { throw TestSupportError("\(outcome): \(error)") }
    }
}
