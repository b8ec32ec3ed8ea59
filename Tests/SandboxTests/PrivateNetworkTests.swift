import FoundationEssentials
import TestSupport
import Testing

/// Namespaces with an internet of their own, in which commands run; see Fixtures/small_internet.py.
private func smallInternet(_ options: [String] = []) -> [String] {
    [
        "unshare", "--map-root-user", "--map-auto", "--mount", "--net", "--pid", "--fork",
        "--mount-proc", "python3", TestHost.fixture("small_internet.py"),
    ] + options
}

private let needsPrivateNetworks: Comment =
    "/dev/net/tun can't be opened, or pasta, slirp4netns or ip are missing"

@Suite(.enabled(if: TestHost.allowsPrivateNetworks, needsPrivateNetworks))
struct `A private network` {
    private let steps: SupervisedSteps

    init() throws { steps = try SupervisedSteps() }

    /// What a step prints in it.
    private func seen(
        _ helper: String, _ script: String, _ options: [String] = [], around: [String] = []
    ) throws -> SupervisedSeen {
        try steps.run(
            ["--private-network", helper] + options, ["sh", "-c", script], around: around,
            in: smallInternet())
    }

    /// Proves that it leads outside and gives names, and neither to the host's loopback nor back; and that its helper is gone with
    /// the step.
    @Test(arguments: [("pasta", "169.254.1.1"), ("slirp4netns", "10.0.2.3")])
    func `leads outside, and not to the host`(helper: String, server: String) throws {
        let script = """
            netprobe read 10.88.0.1 80
            echo loopback $(netprobe read 127.0.0.1 8080)
            echo gateway $(netprobe read $(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p') 8080)
            netprobe resolve \(server) name.test
            netprobe raw
            echo interfaces $(ls /sys/class/net)
            echo server $(cat /etc/resolv.conf)
            """
        let seen = try seen(helper, script)
        #expect(seen["read"] == "outside")
        #expect(seen["loopback"] == "read ECONNREFUSED")
        #expect(seen["gateway"]?.hasPrefix("read E") == true, "\(seen.outcome)")
        #expect(seen["resolve"] == "10.88.0.1")
        #expect(seen["raw"] == "EPERM")
        #expect(seen["interfaces"] == "eth0 lo")
        #expect(seen["server"] == "nameserver \(server) search small.test")
        #expect(seen["left"] == nil && seen.lines.last == "left")
    }

    /// Proves that the comparison above means something: on the host's network, all of it is in reach.
    @Test func `is not what the host has`() throws {
        let seen = try steps.run(
            ["--host-network"],
            [
                "sh", "-c",
                "netprobe read 10.88.0.1 80; echo loopback $(netprobe read 127.0.0.1 8080); "
                    + "echo metadata $(netprobe read 169.254.169.254 80)",
            ], in: smallInternet())
        #expect(seen["read"] == "outside")
        #expect(seen["loopback"] == "read loopback")
        #expect(seen["metadata"] == "read credentials")
    }

    /// Proves the refusal by the supervisor, which is on record; by the routes, where there is no supervisor; and that both go away.
    @Test(arguments: ["pasta", "slirp4netns"])
    func `does not lead to metadata services`(helper: String) throws {
        let script = "netprobe read 169.254.169.254 80"
        let refuse = ["--refuse-address", "169.254.169.254", "--refuse-address", "fd00:ec2::254"]
        let seen = try seen(helper, script, refuse)
        #expect(seen["read"] == "EPERM")
        #expect(seen.results("refused") == ["connect 169.254.169.254 80 1 /bin/netprobe"])
        let alone = try self.seen(helper, script, refuse, around: [steps.probe, "above"])
        #expect(alone["read"] == "EACCES")
        #expect(try self.seen(helper, script)["read"] == "credentials")
    }

    /// Proves that a step without a helper doesn't run, and says what to install.
    @Test func `is an error without its helper`() throws {
        let hide = ["pasta", "slirp4netns"].flatMap { ["--hide", TestHost.find($0)!] }
        let outcome = try steps.command(
            ["--private-network", "pasta"], ["true"], in: smallInternet(hide)
        ).run()
        #expect(outcome.status == 1)
        #expect(outcome.text.contains("a private network needs pasta, which is not installed"))
    }

    /// Proves that what a helper says when it fails is passed on: here there is no route for it to take over.
    @Test func `is an error where its helper finds no network`() throws {
        let alone = ["unshare", "--map-root-user", "--map-auto", "--mount", "--net"]
        let outcome = try steps.command(["--private-network", "pasta"], ["true"], in: alone).run()
        #expect(outcome.status == 1)
        #expect(
            outcome.text.contains("there is no private network: pasta ended with exit status 1"))
    }

    // MARK: - Builds

    /// A context that needs no registry: busybox and netprobe as /bin.
    private func folder(_ lines: String) throws -> BuildFolder {
        let folder = try BuildFolder(
            "FROM scratch\nCOPY bin /bin\nENV PATH=/bin\nSHELL [\"busybox\", \"sh\", \"-c\"]\n\(lines)\n"
        )
        try Command(["mkdir", folder.path + "/bin"]).run().required()
        try Command(["cp", TestHost.find("busybox")!, steps.netprobe, folder.path + "/bin"])
            .run().required()
        return folder
    }

    /// Proves it for the program, with RUNs that have less, and that it is part of the key and on record.
    @Test func `is what a build asks for by --network`() throws {
        let lichen = try LichenProgram()
        let folder = try folder(
            """
            RUN netprobe read 10.88.0.1 80
            RUN netprobe read 169.254.169.254 80
            RUN --network=none echo none $(netprobe read 10.88.0.1 80)
            """)
        let results = try TemporaryDirectory()
        func build(_ words: [String]) throws -> Command.Outcome {
            var command = lichen.build(
                folder, ["--metadata-file", results.path("metadata.json")] + words)
            command.arguments = smallInternet() + command.arguments
            return try command.run()
        }
        let outcome = try build(["--network", "private"]).required()
        for line in ["read outside", "read EPERM", "none read ENETUNREACH"] {
            #expect(outcome.error.contains(line), "\(line): \(outcome)")
        }
        #expect(outcome.text.contains("left\n"))
        let record = String(decoding: try results.read("metadata.json"), as: UTF8.self)
        #expect(record.contains("\"lichen.network\" : \"private\""))
        let allowed = try build(["--network", "private", "--allow", "metadata"]).required()
        #expect(allowed.error.contains("read credentials"))
        let host = try build([]).required()
        #expect(host.error.contains("read outside"), "another network is another key: \(host)")
        let again = try build(["--network", "private"]).required()
        #expect(!again.error.contains("read outside"))
    }

    /// Proves that nothing is left of a builder that was killed in the middle of a step.
    @Test(arguments: ["pasta", "slirp4netns"])
    func `ends with a builder that is killed`(helper: String) throws {
        let lichen = try LichenProgram()
        let folder = try folder("RUN exec sleep 3000")
        var command = lichen.build(folder, ["--network", "private"])
        let hide = helper == "pasta" ? [] : ["--hide", TestHost.find("pasta")!]
        command.arguments =
            smallInternet(hide + ["--kill-when", "sleep"]) + command.arguments
        let outcome = try command.run()
        #expect(outcome.status == 137)
        let lines = outcome.text.split(separator: "\n")
        let running = try #require(lines.first { $0.hasPrefix("seen ") })
        // pasta is a name of passt.
        let name = helper == "pasta" ? "passt" : helper
        #expect(running.contains("lichen-guard") && running.contains(name), "\(running)")
        #expect(lines.last == "left", "\(outcome)")
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `RUN --network` {
    @Test(arguments: ["none", "private"])
    func `is no way to the host's network in a build without it`(network: String) throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM scratch\nRUN --network=host [\"/x\"]\n")
        let outcome = try lichen.build(folder, ["--network", network]).run()
        #expect(outcome.status == 65)
        #expect(outcome.error.contains("RUN --network=host in a build with --network \(network)"))
    }
}
