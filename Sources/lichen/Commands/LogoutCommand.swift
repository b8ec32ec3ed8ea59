import ArgumentParser
import Build

struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Forget the password of a registry.",
        discussion: """
            Example:
              lichen logout registry.example
            """)

    @Argument(
        help: ArgumentHelp("The registry; Docker Hub by default.", valueName: "host[:port]"),
        transform: registryHost)
    var registry = "docker.io"

    func run() throws {
        let account = RegistryAccount(registry: registry)
        try Session.run {
            let (wasThere, other) = try await account.logOut()
            Output.errorLine(
                wasThere
                    ? "logged out of \(account.registry)"
                    : "there was no login at \(account.registry)")
            if let other {
                Output.errorLine("warning: \(other) still has credentials for it")
            }
        }
    }
}
