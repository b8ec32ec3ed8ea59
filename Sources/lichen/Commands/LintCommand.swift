import ArgumentParser
import Build
import Linux
import Lint
import OCI
import Store

struct LintCommand: ParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument { case text, json, sarif }

    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Say what is better written otherwise in a Dockerfile.",
        discussion: """
            The rules are those of BuildKit, by the same names. "# check=skip=RULE;error=true" at the top of the \
            file is heeded. Nothing is built, and no registry is asked; what a base image sets is known where the \
            store has it. The exit status is 1 where the file can't be parsed, or has findings and takes them \
            for errors.

            Examples:
              lichen lint
              lichen lint -f Dockerfile.dev --format sarif . > lint.sarif
            """)

    @Argument(help: "The build context: a directory.", completion: .directory)
    var context = "."

    @OptionGroup var dockerfile: DockerfileOptions

    @Option(help: "What is printed.")
    var format: Format = .text

    @Option(
        name: .customLong("build-arg"),
        help: ArgumentHelp(
            "A value for an ARG; a name alone takes it from the environment.",
            valueName: "name=value"),
        transform: BuildArgument.init(parsing:))
    var buildArguments: [BuildArgument] = []

    @Option(
        help: ArgumentHelp(
            "Look only at this stage and those that it needs; at all by default.",
            valueName: "stage"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "The platform that a build would be for; this machine's by default.",
            valueName: "os/arch"),
        transform: Platform.init(option:))
    var platform: Platform?

    @Option(
        help: ArgumentHelp(
            "The store, where base images are looked up; without it LICHEN_ROOT, XDG_DATA_HOME/lichen or ~/.local/share/lichen.",
            valueName: "dir"),
        completion: .directory)
    var root: String?

    mutating func validate() throws {
        if let problem = ContextWord.problem(context) { throw ValidationError(problem) }
        if root == "" { throw ValidationError("--root is empty") }
        if target == "" { throw ValidationError("--target is empty") }
    }

    func run() throws {
        let request = try request(environment: processEnvironment())
        // Nothing is unpacked, so that no other option of a store means anything.
        let place = try StoreOptions.parse(root.map { ["--root", $0] } ?? [])
        let format = format
        try Session.run {
            let report = try await Checks.lint(request, store: place.openIfPresent())
            switch format {
            case .text: Output.line(Sanitizer.clean(report.text, keepingNewlines: true))
            case .json: Output.line(report.json)
            case .sarif: Output.line(report.sarif(version: lichenVersion))
            }
            if report.isFailure {
                throw BuildError(.instruction, "\(report.file) does not pass the checks")
            }
        }
    }

    func request(environment: [String: String]) throws -> BuildRequest {
        var request = try dockerfile.request(context: .directory(context))
        request.buildArguments = buildArguments.values(environment)
        request.target = target
        if let platform { request.platforms = [platform] }
        return request
    }
}
