extension FactCatalog {
    static let networkFacts: [FactDefinition] = [
        FactDefinition("pasta", .network, "a network of its own for a RUN") {
            program("pasta", $0, "an administrator runs: apt-get install passt")
        },
        FactDefinition("slirp4netns", .network, "the same, where pasta is missing") {
            program("slirp4netns", $0, "an administrator runs: apt-get install slirp4netns")
        },
        FactDefinition("dns", .network, "name servers; registries are found by name") { place in
            let lines = ((try? place.text(of: "/etc/resolv.conf")) ?? "").split(separator: "\n")
            let count = lines.count { $0.hasPrefix("nameserver") }
            if count > 0 { return .good("\(count)") }
            return .degraded(
                "0", "/etc/resolv.conf names none",
                remedy: "an administrator writes a nameserver line to /etc/resolv.conf")
        },
        FactDefinition("ca.certificates", .network, "whom TLS to a registry trusts", certificates),
        FactDefinition("docker.config", .network, "logins that other tools left", dockerConfig),
        FactDefinition("proxy", .network, "whether a proxy is set, never which") { place in
            let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
            let isSet = names.contains { !(place.environment[$0] ?? "").isEmpty }
            return .good(isSet ? "yes" : "no")
        },
    ]

    static func program(_ name: String, _ place: Place, _ remedy: String) -> Finding {
        if let path = place.program(name) { return .good("yes", path) }
        return .missing("no", "not installed", remedy: remedy)
    }

    private static func certificates(_ place: Place) -> Finding {
        let named = place.environment["SSL_CERT_FILE"]
        let usual = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        ]
        let files = named.map { [$0] } ?? usual
        if let path = files.first(where: place.exists) { return .good("yes", path) }
        return .missing(
            "no", named.map { "SSL_CERT_FILE names \($0)" } ?? "no bundle in the usual places",
            remedy: "an administrator runs: apt-get install ca-certificates")
    }

    /// Whether the file is there: what is in it is nobody's business here.
    private static func dockerConfig(_ place: Place) -> Finding {
        let directory =
            place.environment["DOCKER_CONFIG"] ?? place.environment["HOME"].map { $0 + "/.docker" }
        guard let directory, place.exists(directory + "/config.json") else {
            return .good("no", "lichen login makes one")
        }
        return .good("yes", directory + "/config.json")
    }
}
