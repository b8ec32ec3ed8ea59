import ArgumentParser
import Attack
import Build
import Doctor
import FoundationEssentials
import Synchronization

struct AttackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attack",
        abstract: "Attack the sandbox of a RUN from inside, and say what held.",
        discussion: """
            Builds an image of this program alone, with a store of its own, whose steps are attacks: on files, \
            processes, sockets, memory and keys of this user, which are made for it, and on the kernel. It takes \
            a few seconds and no network. The exit status is 0 if all held, and 1 if one did not; docs/security.md \
            tells of the cases.

            Examples:
              lichen attack
              lichen attack --json
            """)

    @Flag(help: "Print the cases as JSON.")
    var json = false

    @OptionGroup(title: "Store") var store: StoreOptions

    /// Far more than it takes: what goes on for longer is stuck.
    private static let limit = Duration.seconds(60)

    func run() throws {
        let directory = try store.place().workDirectory
        let isJSON = json
        let holds = Mutex(true)
        try Session.run {
            let report = try await Self.report(in: directory)
            if isJSON {
                let document = try AttackDocument(report).encoded()
                Output.line(String(decoding: document, as: UTF8.self))
            } else {
                for line in AttackTable(report).lines { Output.line(line) }
            }
            holds.withLock { $0 = report.holds }
        }
        if !holds.withLock({ $0 }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private static func report(in directory: String) async throws -> AttackReport {
        try await withThrowingTaskGroup(of: AttackReport.self) { group in
            group.addTask { try await AttackRun(in: directory).report() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw BuildError(.host, "the attacks took more than \(limit.components.seconds) s")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }
}

/// The JSON of `lichen attack --json`; docs/security.md describes it.
struct AttackDocument: Encodable {
    struct Case: Encodable {
        var id, attempt, verdict: String
        var details: [String]
    }

    var version = 1
    var lichen = Lichen.version
    var held, broken, notTried: Int
    var cases: [Case]
    var remarks: [String]

    init(_ report: AttackReport) {
        held = report.count(.held)
        broken = report.count(.broken)
        notTried = report.count(.notTried)
        cases = report.results.map {
            Case(
                id: $0.id, attempt: $0.attempt, verdict: $0.verdict.rawValue, details: $0.details)
        }
        remarks = report.remarks
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }
}

/// What `lichen attack` shows to a person: a line for each case, then the count.
struct AttackTable {
    var lines: [String]

    init(_ report: AttackReport) {
        lines = report.results.map(Self.line)
        for remark in report.remarks {
            lines += DoctorTable.wrapped("note: " + Sanitizer.clean(remark), indent: 0)
        }
        lines.append(
            "\(report.count(.held)) held, \(report.count(.broken)) broken, "
                + "\(report.count(.notTried)) not tried")
    }

    private static func line(_ result: AttackResult) -> String {
        let verdict =
            switch result.verdict {
            case .held: "held"
            case .broken: "BROKEN"
            case .notTried: "not tried"
            }
        let front = "\(padded(verdict, 9)) \(padded(result.id, 8)) \(result.attempt)"
        if result.details.isEmpty { return front }
        return front + ": " + result.details.map { Sanitizer.clean($0) }.joined(separator: "; ")
    }

    private static func padded(_ text: String, _ columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - text.count))
    }
}
