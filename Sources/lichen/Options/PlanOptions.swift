import ArgumentParser
import Build
import OCI

/// The options of `build` that decide what would run; where the result goes does not.
struct PlanOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The build context: a directory, a git repository, the URL of a tar, or - for a tar on standard input."
        ),
        completion: .directory)
    var context: String

    @OptionGroup var dockerfile: DockerfileOptions

    @Option(
        name: .customLong("build-context"),
        help: ArgumentHelp(
            "Another image, directory, repository or tar for FROM NAME and COPY --from=NAME; may be repeated.",
            valueName: "name=what"),
        transform: BuildContextOption.init(parsing:))
    var buildContexts: [BuildContextOption] = []

    @Option(
        name: .customLong("build-arg"),
        help: ArgumentHelp(
            "A value for an ARG; a name alone takes it from the environment.",
            valueName: "name=value"),
        transform: BuildArgument.init(parsing:))
    var buildArguments: [BuildArgument] = []

    @Option(
        help: ArgumentHelp(
            "The stage that would be built; the last one by default.", valueName: "stage"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "The platforms to build for, with commas between them; this machine's by default.",
            valueName: "os/arch,…"),
        transform: PlatformList.init(parsing:))
    var platform: PlatformList?

    @Option(help: "When to ask the registry for a base image's tag.")
    var pull: BuildRequest.PullPolicy = .always

    @Flag(name: .customLong("no-cache"), help: "As if the store had no step.")
    var noCache = false

    @OptionGroup var network: NetworkOptions

    @OptionGroup(title: "Registries") var registries: RegistryOptions

    mutating func validate() throws {
        let place = try ContextWord.context(context)
        if let problem = ContextWord.conflict(place, file: dockerfile.file) {
            throw ValidationError(problem)
        }
        if target == "" { throw ValidationError("--target is empty") }
        if let twice = buildContexts.firstRepeated {
            throw ValidationError("two --build-context are called \(twice)")
        }
    }

    func request(environment: [String: String]) throws -> BuildRequest {
        var request = try dockerfile.request(context: try ContextWord.context(context))
        for option in buildContexts { request.namedContexts[option.name] = option.context }
        request.buildArguments = buildArguments.values(environment)
        request.target = target
        if let platform { request.platforms = platform.platforms }
        request.pull = pull
        request.usesCache = !noCache
        request.network = network.network
        request.allowances = Set(network.allowances)
        request.sourceDateEpoch = try SourceDateEpoch.seconds(
            request.buildArguments["SOURCE_DATE_EPOCH"] ?? environment["SOURCE_DATE_EPOCH"])
        request.plainHTTPRegistries = registries.plainHTTPRegistries
        request.insecureRegistries = registries.insecureRegistries
        return request
    }
}
