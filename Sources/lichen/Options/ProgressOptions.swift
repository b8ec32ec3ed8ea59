import ArgumentParser

/// What is shown on standard error.
struct ProgressOptions: ParsableArguments {
    enum Style: String, CaseIterable, ExpressibleByArgument { case auto, plain, quiet }

    @Option(help: "How progress is shown; auto is live on a terminal, else plain.")
    var progress: Style?

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Show errors only.")
    var isQuiet = false

    @Flag(name: [.customShort("v"), .customLong("verbose")], help: "Show more of what happens.")
    var isVerbose = false

    mutating func validate() throws {
        if isQuiet && isVerbose { throw ValidationError("-q and -v contradict each other") }
        if let progress, isQuiet, progress != .quiet {
            throw ValidationError("-q and --progress \(progress.rawValue) contradict each other")
        }
    }

    var style: Style { isQuiet ? .quiet : progress ?? .auto }
}
