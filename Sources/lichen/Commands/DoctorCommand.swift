import ArgumentParser
import Doctor
import FoundationEssentials

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what this host allows a build, and what would help.",
        discussion: """
            Tries out what a RUN needs, in child processes, and changes nothing. The exit status is 0 \
            if builds with RUN work here, else 71.

            Examples:
              lichen doctor
              lichen doctor --json
            """)

    @Flag(help: "Print all facts and the verdict as JSON.")
    var json = false

    @Flag(name: [.customShort("v"), .long], help: "Show what is good in full, too.")
    var verbose = false

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let facts = Examination(try store.place()).facts()
        let verdict = Verdict(facts)
        if json {
            Output.line(String(decoding: try DoctorReport(facts, verdict).encoded(), as: UTF8.self))
        } else {
            for line in DoctorTable(facts, verdict, isVerbose: verbose).lines { Output.line(line) }
        }
        if !verdict.allowsRun { throw ExitCode(ExitStatus.host.rawValue) }
    }
}

/// The JSON of `lichen doctor --json`; docs/doctor.md describes it.
struct DoctorReport: Encodable {
    struct FactRecord: Encodable {
        var name, group, value, state, meaning: String
        var detail, remedy: String?
    }

    struct VerdictRecord: Encodable {
        struct Lack: Encodable { var fact, consequence: String }
        struct Advice: Encodable { var fact, change: String }
        var mode: String
        var run: Bool
        var missing: [String]
        var lacks: [Lack]
        var advice: Advice?
    }

    var version = 1
    var lichen = Lichen.version
    var verdict: VerdictRecord
    var facts: [FactRecord]

    init(_ facts: [Fact], _ verdict: Verdict) {
        self.facts = facts.map {
            FactRecord(
                name: $0.name, group: $0.group.rawValue, value: $0.value, state: $0.state.rawValue,
                meaning: $0.meaning, detail: $0.detail, remedy: $0.remedy)
        }
        self.verdict = VerdictRecord(
            mode: verdict.mode.rawValue, run: verdict.allowsRun, missing: verdict.missing,
            lacks: verdict.lacks.map { .init(fact: $0.fact, consequence: $0.consequence) },
            advice: verdict.advice.map { .init(fact: $0.fact, change: $0.change) })
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }
}
