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
            One line for each thing that is wrong; the exit status is then 1.

            Example:
              lichen store check
            """)

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let place = store
        try Session.run {
            let builder = Builder(store: try place.open(), observer: { _ in })
            let problems = try await builder.check()
            for problem in problems {
                Output.line(Sanitizer.clean("\(problem); \(problem.remedy)"))
            }
            if problems.contains(where: \.isDamage) {
                throw BuildError(.instruction, "the store is damaged")
            }
            if problems.isEmpty { Output.line("nothing is wrong") }
        }
    }
}
