import ArgumentParser
import Build

/// The network of RUN, and what it may reach there.
struct NetworkOptions: ParsableArguments {
    @Option(help: "The network of RUN.")
    var network: BuildRequest.Network = .host

    @Option(
        name: .customLong("allow"),
        help: ArgumentHelp(
            "Give RUN what it does not have by default; may be repeated.",
            discussion:
                "metadata: cloud metadata services, which give out this machine's credentials. security.insecure: RUN --security=insecure, with all capabilities of its user namespace.",
            valueName: "name"),
        completion: .list(BuildRequest.Allowance.allCases.map(\.rawValue)),
        transform: BuildRequest.Allowance.init(option:))
    var allowances: [BuildRequest.Allowance] = []

    func validate() throws {
        if network == .none && allowances.contains(.metadata) {
            throw ValidationError("--allow metadata means nothing with --network none")
        }
    }
}

extension BuildRequest.Network: ExpressibleByArgument {}

extension BuildRequest.Allowance {
    /// - Throws: for a name that is not on the list, with the list.
    init(option text: String) throws {
        if let known = Self(rawValue: text) {
            self = known
            return
        }
        let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError(
            "there is no \"\(Sanitizer.clean(text))\" to allow"
                + (Self.elsewhere[text].map { "; \($0)" } ?? "") + "; known: \(names)")
    }

    /// BuildKit's names for what is asked for here in another way.
    private static let elsewhere = [
        "network.host": "RUN has the host's network with --network host"
    ]
}
