import ArgumentParser
import Build
import Store

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Look after the store.",
        discussion: """
            Example:
              lichen store check
            """,
        subcommands: [StoreCheckCommand.self])
}

struct StoreCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verify every digest in the store.",
        discussion: """
            One line for each thing that is wrong, with what to do about it; the exit status is
            then 1. With --mend what is damaged is removed, and the next build makes or fetches
            it again; the exit status is then 0.

            Examples:
              lichen store check
              lichen store check --mend
            """)

    @Flag(help: "Remove what is damaged, and say what comes of it.")
    var mend = false

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (place, mends) = (store, mend)
        try Session.run {
            let builder = Builder(store: try place.open(), observer: { _ in })
            let problems = try await builder.check()
            let damage = problems.filter(\.isDamage)
            if mends, !damage.isEmpty {
                try await Self.mend(damage, builder)
                return
            }
            for problem in problems { Self.print("\(problem); \(problem.remedy)") }
            if !damage.isEmpty {
                throw BuildError(
                    .instruction, "the store is damaged",
                    hint: "lichen store check --mend removes what is damaged")
            }
            if problems.isEmpty { Self.print("nothing is wrong") }
        }
    }

    private static func mend(_ damage: [StoreProblem], _ builder: Builder) async throws {
        let forgotten = try await builder.mend(damage)
        for problem in damage where problem.finding != .missing {
            print("\(problem): removed; \(problem.outcome)")
        }
        for name in forgotten {
            print("image \(name) lacks its manifest or config: forgotten; pull or build it again")
        }
    }

    private static func print(_ line: String) { Output.line(Sanitizer.clean(line)) }
}
