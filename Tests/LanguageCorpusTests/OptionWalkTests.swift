import FoundationEssentials
import TestSupport
import Testing

/// Options whose effect one small run can't show, and the test that does.
private let tested: [(command: String, option: String, file: String, function: String)] =
    ["build", "push", "pull", "login"].map { command in
        (
            command, "insecure-registry", "Tests/EndToEndTests/InsecureRegistryTests.swift",
            "is spoken to where it is named as insecure, and only then"
        )
    } + [
        (
            "plan", "insecure-registry", "Tests/CommandLineTests/PlanOptionsTests.swift",
            "mean the same as those of build"
        ),
        (
            "attack", "json", "Tests/AttackTests/CommandTests.swift",
            "says the same as JSON, in a store that is there"
        ),
        (
            "attack", "root", "Tests/AttackTests/CommandTests.swift", "says why it can try nothing"
        ),
        (
            "store check", "mend", "Tests/EndToEndTests/MaintenanceCommandTests.swift",
            "is mended by a check, and the next build gives the same"
        ),
    ]

/// The parser's own account of every command, as the program prints it.
private struct CommandDump: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable { var name: String }
        var kind: String
        var names: [Name]?
    }
    var commandName: String
    var arguments: [Argument]?
    var subcommands: [CommandDump]?

    private struct Tool: Decodable { var command: CommandDump }

    static func read() throws -> CommandDump {
        let outcome = try LichenProgram().run(["--experimental-dump-help"]).required()
        return try JSONDecoder().decode(Tool.self, from: Data(outcome.output)).command
    }

    /// The commands that do something, by their words.
    func leaves(_ above: [String] = []) -> [(command: String, options: [String])] {
        let below = (subcommands ?? []).filter { $0.commandName != "help" }
        if !below.isEmpty {
            return below.flatMap { $0.leaves(above + [$0.commandName]) }
        }
        let options = (arguments ?? []).filter { $0.kind != "positional" }.map { argument in
            (argument.names ?? []).map(\.name).joined(separator: "/")
        }
        return [(above.joined(separator: " "), options)]
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, "no subordinate ids: a RUN needs them"))
struct `Every option of a command` {
    /// Each ends at once and prints; they are tried for every command.
    private static let ending: Set = ["h/help", "version"]

    @Test func `has a proof that it is not ignored`() throws {
        let known = Set(OptionProbe.all.map { "\($0.command) --\($0.option)" }).union(
            tested.map { "\($0.command) --\($0.option)" })
        var all: Set<String> = []
        for (command, options) in try CommandDump.read().leaves() {
            for option in options where !Self.ending.contains(option) {
                all.insert("\(command) --\(option)")
            }
        }
        #expect(all.count > 80)
        #expect(all.subtracting(known).isEmpty, "these have no proof")
        #expect(known.subtracting(all).isEmpty, "these are no options")
    }

    @Test(arguments: OptionProbe.all)
    func `changes what comes out`(probe: OptionProbe) async throws {
        let (with, without) = try await aside {
            (try probe.run(isWith: true), try probe.run(isWith: false))
        }
        #expect(with != without)
    }

    /// Were it otherwise, the test above could not fail.
    @Test(arguments: [
        OptionProbe("build", "", on: "FROM BASE\nRUN echo x\n"), OptionProbe("plan", ""),
        OptionProbe("pull", "", common: ["BASE"]), OptionProbe("prune", ""),
        OptionProbe("build", "", on: "FROM scratch\nCOPY none /\n"),
        OptionProbe("doctor", "", common: ["--json"]),
    ])
    func `would not be seen where nothing changes`(probe: OptionProbe) async throws {
        let (first, second) = try await aside {
            (try probe.run(isWith: false), try probe.run(isWith: false))
        }
        #expect(first == second)
    }

    @Test func `for help and version prints them`() throws {
        let lichen = try LichenProgram()
        for (command, options) in try CommandDump.read().leaves() {
            #expect(Set(options).isSuperset(of: Self.ending), "\(command)")
            let words = command.split(separator: " ").map(String.init)
            for option in ["--help", "-h"] {
                let help = try lichen.run(words + [option]).required()
                #expect(help.text.contains("USAGE: lichen \(command)"))
            }
            let version = try lichen.run(words + ["--version"]).required()
            #expect(!version.text.isEmpty && !version.text.contains("USAGE"))
        }
    }

    @Test func `that has a test elsewhere has it there`() throws {
        for (_, _, file, function) in tested {
            let text = try Data(contentsOf: URL(filePath: TestHost.sources + "/" + file))
            #expect(String(decoding: text, as: UTF8.self).contains("func `\(function)`"))
        }
    }
}
