import ArgumentParser

/// What is shown on standard error.
struct ProgressOptions: ParsableArguments {
    enum Style: String, CaseIterable, ExpressibleByArgument { case auto, plain, quiet, rawjson }

    @Option(
        help:
            "How progress is shown; auto is live on a terminal, else plain; rawjson is for machines."
    )
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

    /// Whether a command line asks for JSON, also where it can't be parsed: the error of that is JSON, too.
    static func asksForJSON(_ arguments: [String]) -> Bool {
        zip(arguments, arguments.dropFirst()).contains {
            $0 == ("--progress", Style.rawjson.rawValue)
        }
            || arguments.contains("--progress=\(Style.rawjson.rawValue)")
    }
}
