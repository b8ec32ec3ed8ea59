import ArgumentParser
import Build

/// What a build may give its RUNs beside the default.
struct AllowOptions: ParsableArguments {
    @Option(
        name: .customLong("allow"),
        help: ArgumentHelp(
            "Give RUN what it does not have by default; may be repeated.",
            discussion:
                "security.insecure: RUN --security=insecure, with all capabilities of its user namespace.",
            valueName: "name"),
        completion: .list(BuildRequest.Allowance.allCases.map(\.rawValue)))
    var allowances: [BuildRequest.Allowance] = []
}

extension BuildRequest.Allowance: ExpressibleByArgument {}
