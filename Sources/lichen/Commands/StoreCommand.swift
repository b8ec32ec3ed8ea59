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
            let findings = try StoreChecker(store: try place.open()).check()
            let (problems, files) = (findings.problems, findings.files)
            for problem in problems { Output.line(Sanitizer.clean(problem)) }
            if !problems.isEmpty {
                throw BuildError(
                    .instruction, "\(problems.count) of \(files) files in the store are wrong",
                    hint: "remove them; the next build fetches or makes them anew")
            }
            Output.line("\(files) files, nothing wrong")
        }
    }
}
