import ArgumentParser
import Attack
import Build
import Linux

/// Where the process starts. Synchronous on purpose: an asynchronous main costs a third of the start-up time.
@main enum Main {
    static func main() {
        // A build executes this program again for its worker, and `attack` as what it attacks with; nothing may run before it.
        switch CommandLine.arguments.dropFirst().first {
        case WorkerProcess.argument: WorkerProcess.run()
        case UnpackerProcess.argument: UnpackerProcess.run()
        case ArchiveReaderProcess.argument: ArchiveReaderProcess.run()
        case AttackProgram.argument: AttackProgram.run()
        default: break
        }
        // Nearly every build asks a registry. Its libraries take longer to load than the options to be parsed.
        if CommandLine.arguments.dropFirst().first == BuildCommand.configuration.commandName {
            Builder.expectBuild()
        }
        do {
            var command = try Lichen.parseAsRoot()
            try command.run()
        } catch {
            end(with: error)
        }
        endProcess(0)
    }

    /// Ends as the parser would, but with our prefix before an error.
    private static func end(with error: any Error) -> Never {
        let code = Lichen.exitCode(for: error)
        let message = Lichen.fullMessage(for: error)
        if code.isSuccess {
            Output.line(message)
        } else if !message.isEmpty, ProgressOptions.asksForJSON(CommandLine.arguments) {
            let report = ErrorReport(usage: Lichen.message(for: error), status: code.rawValue)
            let now = monotonicSeconds()
            Output.errorLine(JSONLog(started: now).end(report, at: now))
        } else if !message.isEmpty {
            let prefix = "Error: "
            let text = message.hasPrefix(prefix) ? message.dropFirst(prefix.count) : message[...]
            Output.errorLine("error: \(text)")
        }
        endProcess(code.rawValue)
    }
}

/// `lichen`, with its subcommands; each has a file of its own in Commands/.
struct Lichen: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "lichen",
        abstract: "Builds container images without root and without a daemon.",
        discussion: """
            Example:
              lichen build -t registry.example/team/app:1 --push .

            Completions: lichen completions bash|zsh|fish
            """,
        version: version,
        subcommands: [
            BuildCommand.self, PlanCommand.self, LintCommand.self, ParseCommand.self,
            PullCommand.self, PushCommand.self, ImagesCommand.self,
            TagCommand.self, RemoveCommand.self, InspectCommand.self, PruneCommand.self,
            StoreCommand.self, DoctorCommand.self, AttackCommand.self, LoginCommand.self,
            LogoutCommand.self, CompletionsCommand.self,
            VersionCommand.self,
        ])
}
