import ArgumentParser
import Build
import Linux
import SystemPackage

struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in to a registry.",
        discussion: """
            The password is asked for on the terminal, or read from standard input. It is
            never an argument, where everybody on the machine could read it. It is shown to
            the registry first, and then kept where other tools look, too: in the credential
            helper that config.json names, else in that file.

            Example:
              lichen login registry.example -u me --password-stdin < token
            """)

    @Argument(
        help: ArgumentHelp("The registry; Docker Hub by default.", valueName: "host[:port]"),
        transform: registryHost)
    var registry = "docker.io"

    @Option(name: [.short, .customLong("username")], help: "Who you are there.")
    var user: String?

    @Flag(name: .customLong("password-stdin"), help: "Read the password from standard input.")
    var readsPassword = false

    @OptionGroup(title: "Registries") var registries: RegistryOptions

    func run() throws {
        let (user, password) = try answers()
        let account = RegistryAccount(
            registry: registry, plainHTTP: registries.plainHTTPRegistries,
            insecure: registries.insecureRegistries)
        try Session.run {
            let login = try await account.logIn(user: user, password: password)
            Output.errorLine("logged in to \(account.registry); kept in \(login.place)")
            if !login.wasVerified {
                Output.errorLine("warning: \(account.registry) did not ask who you are")
            }
            if let other = login.hiddenBy {
                Output.errorLine("warning: \(other) comes first, and has other credentials for it")
            }
        }
    }

    private func answers() throws -> (user: String, password: String) {
        if readsPassword {
            guard let user else { throw ValidationError("--password-stdin needs --username") }
            return (user, try PasswordPrompt.readStandardInput())
        }
        guard PasswordPrompt.isPossible else {
            throw ValidationError(
                "there is no terminal to ask for the password on; give it with --password-stdin")
        }
        let name = try user ?? PasswordPrompt.ask("Username: ", echoing: true)
        return (name, try PasswordPrompt.ask("Password for \(name) at \(registry): "))
    }
}

/// A registry as people write it: references' `host:port`, or the URL of one.
func registryHost(_ text: String) throws -> String {
    var host = text[...]
    if host.hasPrefix("https://") { host = host.dropFirst("https://".count) }
    while host.hasSuffix("/") { host = host.dropLast() }
    if host == "index.docker.io" || host == "index.docker.io/v1" { host = "docker.io" }
    if host.isEmpty || host.contains("/") || host.hasPrefix("-") {
        throw ValidationError("write it as host or host:port")
    }
    return String(host)
}
