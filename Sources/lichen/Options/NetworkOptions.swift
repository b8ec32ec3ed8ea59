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
                "metadata: cloud metadata services, which give out this machine's credentials.",
            valueName: "name"),
        completion: .list(BuildRequest.Allowance.allCases.map(\.rawValue)),
        transform: BuildRequest.Allowance.init(option:))
    var allowances: [BuildRequest.Allowance] = []
}

extension BuildRequest.Network: ExpressibleByArgument {}

extension BuildRequest.Allowance {
    init(option text: String) throws {
        if let known = Self(rawValue: text) {
            self = known
            return
        }
        let names = Self.allCases.map(\.rawValue)
        // BuildKit's names for what is asked for here in another way.
        let others = [
            "network.host": "; RUN has the host's network with --network host",
            "security.insecure": "; there is no RUN without a sandbox",
        ]
        let near = names.first {
            $0.lowercased().hasPrefix(text.lowercased().prefix(4)) && !text.isEmpty
        }
        throw ValidationError(
            "there is no \"\(Sanitizer.clean(text))\" to allow"
                + (others[text] ?? near.map { "; did you mean \($0)?" }
                    ?? "; known: \(names.joined(separator: ", "))"))
    }
}
