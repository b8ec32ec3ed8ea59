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

    @Option(
        name: .customLong("insecure-registry"),
        help: ArgumentHelp(
            "Don't check this registry's certificate; where it has no TLS, speak plain HTTP; may be repeated.",
            valueName: "host[:port]"),
        transform: registryName)
    var insecure: [String] = []

    var plainHTTPRegistries: Set<String> { Set(plainHTTP) }
    var insecureRegistries: Set<String> { Set(insecure) }
}

private func registryName(_ text: String) throws -> String {
    if text.isEmpty || text.contains("/") {
        throw ValidationError("write it as host or host:port, without a scheme")
    }
    return text
}
