import Linux
import SystemPackage

/// A program of the distribution that carries the packets of a step's own network, by sockets of this user on the host.
public struct NetworkHelper: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case pasta, slirp4netns

        /// What an administrator installs for it.
        public var package: String {
            switch self {
            case .pasta: "passt"
            case .slirp4netns: "slirp4netns"
            }
        }
    }

    let kind: Kind
    let path: String

    /// The first of them that is installed, where it could work.
    ///
    /// - Throws: with what an administrator does about it.
    init(among kinds: [Kind]) throws(SandboxError) {
        let installed = kinds.lazy.compactMap { kind in
            helperPath(kind.rawValue).map { (kind: kind, path: $0) }
        }
        guard let first = installed.first else {
            let names = kinds.map(\.rawValue).joined(separator: " or ")
            throw SandboxError(
                .host("a private network needs \(names), which is not installed"),
                hint: "an administrator runs: apt-get install \(kinds.first?.package ?? "passt")")
        }
        if let problem = tunnelDeviceProblem() {
            let change =
                problem == .permissionDenied || problem == .notPermitted
                ? "chmod 666 \(tunnelDevice)" : "modprobe tun"
            throw SandboxError(
                .host("a private network needs \(tunnelDevice): \(problem.inWords)"),
                hint: "an administrator runs: \(change)")
        }
        (kind, path) = first
    }

    /// The name of the interface, in the step's network.
    private static let interface = "eth0"

    /// What its command line says: the namespace of process `pid` gets an interface with addresses and routes, no port of either
    /// side leads to the other, and no address leads to the host's loopback.
    func arguments(for pid: Int32) -> [String] {
        switch kind {
        case .pasta:
            [
                "--config-net", "--quiet", "--no-map-gw", "-t", "none", "-u", "none", "-T", "none",
                "-U", "none", "--dns-forward", Self.forwarder, "--dns-forward", Self.forwarder6,
                "--ns-ifname", Self.interface, "\(pid)",
            ]
        case .slirp4netns:
            [
                "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox",
                "--enable-seccomp", "--ready-fd=3", "\(pid)", Self.interface,
            ]
        }
    }

    /// Whether the program goes on in the background, and its first process ends when everything stands.
    var isReadyByItsEnd: Bool { kind == .pasta }

    // MARK: - Name servers

    /// Addresses that pasta forwards to the host's first name server of that family.
    private static let forwarder = "169.254.1.1"
    private static let forwarder6 = "fd00:6c69:6368:656e::53"
    /// slirp4netns's own, for servers of both families.
    private static let builtInForwarder = "10.0.2.3"

    /// The host's file with the forwarder in place of its servers, some of which only the host can reach.
    func resolvConf(insteadOf host: [UInt8]) -> [UInt8] {
        var (servers, others): ([String], [String]) = ([], [])
        for line in String(decoding: host, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            if words.first == "nameserver", words.count > 1 {
                servers.append(String(words[1]))
            } else {
                others.append(String(line))
            }
        }
        let lines = forwarders(for: servers).map { "nameserver \($0)" } + others
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    private func forwarders(for servers: [String]) -> [String] {
        if servers.isEmpty { return [] }
        if kind == .slirp4netns { return [Self.builtInForwarder] }
        let hasIPv6 = servers.contains { $0.contains(":") }
        let hasIPv4 = servers.contains { !$0.contains(":") }
        return (hasIPv4 ? [Self.forwarder] : []) + (hasIPv6 ? [Self.forwarder6] : [])
    }
}
