import ArgumentParser

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version.",
        discussion: """
            Example:
              lichen version
            """)

    func run() { Output.line("lichen \(Lichen.version)") }
}
