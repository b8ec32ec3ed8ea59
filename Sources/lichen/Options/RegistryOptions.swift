import ArgumentParser

/// How registries are spoken to.
struct RegistryOptions: ParsableArguments {
    @Option(
        name: .customLong("plain-http"),
        help: ArgumentHelp(
            "Speak plain HTTP with this registry; loopback needs no asking; may be repeated.",
            valueName: "host[:port]"),
        transform: registryName)
    var plainHTTP: [String] = []

    var plainHTTPRegistries: Set<String> { Set(plainHTTP) }
}

private func registryName(_ text: String) throws -> String {
    if text.isEmpty || text.contains("/") {
        throw ValidationError("write it as host or host:port, without a scheme")
    }
    return text
}
