import Linux
import SystemPackage

extension FactCatalog {
    static let networkFacts: [FactDefinition] = [
        FactDefinition("metadata", .network, "RUNs can't reach cloud metadata services", metadata),
        FactDefinition("network.private", .network, "--network private works", privateNetwork),
        FactDefinition("pasta", .network, "carries a private network's packets") { _ in
            networkHelper("pasta", "an administrator runs: apt-get install passt")
        },
        FactDefinition("slirp4netns", .network, "the same, where pasta is missing") { _ in
            networkHelper("slirp4netns", "an administrator runs: apt-get install slirp4netns")
        },
        FactDefinition("tun", .network, "the device that both of them open") { _ in tun() },
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

    /// Nothing of the policy that is refused: the supervisor makes a RUN's connections, and Landlock leaves them to it.
    private static func metadata(_ place: Place) -> Finding {
        let listener = KernelProbe.filter(.listener).finding(
            remedy: "Linux 5.0 or newer, and no listener of a sandbox around this one")
        if listener.state != .good { return listener }
        do throws(SystemError) { try Supervisor.check() } catch {
            return .missing("no", error.description, remedy: place.namespaceRemedy)
        }
        let landlock = KernelProbe.landlockNetwork.finding(remedy: landlockNetworkRemedy)
        if landlock.state == .unknown { return landlock }
        if landlock.state == .good { return .good("yes") }
        return .degraded(
            "partly",
            "only those that don't set out to: \(landlock.detail ?? "no Landlock for TCP")",
            remedy: landlock.remedy)
    }

    private static func privateNetwork(_ place: Place) -> Finding {
        guard let helper = ["pasta", "slirp4netns"].first(where: { helperPath($0) != nil }) else {
            return .missing(
                "no", "neither pasta nor slirp4netns is installed",
                remedy: "an administrator runs: apt-get install passt")
        }
        let namespace = KernelProbe.namespace(.network).finding(remedy: place.namespaceRemedy)
        if namespace.state != .good { return namespace }
        let device = tun()
        return device.state == .good ? .good("yes", "by \(helper)") : device
    }

    private static func tun() -> Finding {
        switch tunnelDeviceProblem() {
        case nil: .good("yes")
        case .noSuchFileOrDirectory?, .operationNotSupportedByDevice?:
            .missing(
                "no", "there is no \(tunnelDevice)", remedy: "an administrator runs: modprobe tun")
        case let error?:
            .missing(
                "no", "\(tunnelDevice): \(error.inWords)",
                remedy: "an administrator runs: chmod 666 \(tunnelDevice)")
        }
    }

    /// Looked for where a build does: not along PATH.
    private static func networkHelper(_ name: String, _ remedy: String) -> Finding {
        if let path = helperPath(name) { return .good("yes", path) }
        return .missing("no", "not installed", remedy: remedy)
    }

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
