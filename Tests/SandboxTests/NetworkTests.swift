import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `A refused address` {
    private let steps: SupervisedSteps

    init() throws { steps = try SupervisedSteps() }

    /// 127.0.0.2 stands for a metadata service: it can be listened on.
    private static let guarded = ["--refuse-address", "127.0.0.2"]

    /// Proves that a RUN's network is what it is without a supervisor, for sockets that wait and those that don't, with signals and
    /// time limits, for other families, and for every mistake: but for what leads to the address.
    @Test func `changes nothing else`() throws {
        let plain = try steps.run(["--host-network"], ["netprobe", "all", "127.0.0.2"])
        let seen = try steps.run(Self.guarded, ["netprobe", "all", "127.0.0.2"])
        #expect(seen.lines.count == plain.lines.count && plain.lines.count > 45)
        #expect(plain["tcp:refused"] == "ok" && plain["wait:stands"] == "ok")
        var differently: [String: String] = [
            "fastopen:sendto": "EOPNOTSUPP", "fastopen:sendmsg": "EOPNOTSUPP",
            "mptcp": "EPROTONOSUPPORT",
        ]
        for name in [
            "tcp:refused", "tcp6:mapped-refused", "poll:refused", "udp:sendto-refused",
            "udp:sendto-unnamed", "udp:sendmsg-refused", "udp:sendmmsg-refused",
            "udp:connect-refused",
        ] { differently[name] = "EPERM" }
        for line in plain.lines {
            let parts = line.split(separator: " ").map(String.init)
            #expect(seen[parts[0]] == differently[parts[0]] ?? parts[1], "\(parts[0])")
        }
    }

    @Test func `is on record with call, port and program`() throws {
        let seen = try steps.run(Self.guarded, ["netprobe", "connect", "127.0.0.2", "80"])
        #expect(seen["connect"] == "EPERM")
        #expect(seen.results("refused") == ["connect 127.0.0.2 80 1 /bin/netprobe"])
        let six = try steps.run(
            ["--refuse-address", "fd00:ec2::254"], ["netprobe", "connect", "fd00:ec2::254", "80"])
        #expect(six.results("refused") == ["connect fd00:ec2::254 80 1 /bin/netprobe"])
        let translated = try steps.run(
            Self.guarded, ["netprobe", "connect", "64:ff9b::127.0.0.2", "80"])
        #expect(translated["connect"] == "EPERM")
    }

    /// Proves that neither a thread that changes the address nor one that changes the socket gets a connection through; and, without
    /// the refusal, that this race would get many through.
    @Test func `is not reached in a race`() throws {
        let plain = try steps.run(["--host-network"], ["netprobe", "race", "127.0.0.2", "5000"])
        #expect(Int(plain["reached"] ?? "") ?? 0 > 0)
        let seen = try steps.run(Self.guarded, ["netprobe", "race", "127.0.0.2", "20000"])
        #expect(seen["reached"] == "0")
        #expect(seen["stood"] == "some" && seen["refusals"] == "some")
    }

    /// Proves that connections which never stand cost a bounded number of descriptors, and are gone with their step.
    @Test func `leaves nothing behind`() throws {
        let seen = try steps.run(Self.guarded + ["--times", "4"], ["netprobe", "hold"])
        // More wait than are served at once.
        #expect(seen["while-held"] == "EAGAIN" || seen["while-held"] == "ok")
        #expect(seen.results("descriptors") == ["0"])
        #expect(seen.results("threads") == ["0"])
    }

    /// Proves that a step below another listener, where there can be no supervisor, runs with its connections, and says why.
    @Test func `can be reached where nobody can refuse it`() throws {
        let seen = try steps.run(
            Self.guarded, ["netprobe", "connect", "127.0.0.2", "80"],
            around: [steps.probe, "above"])
        #expect(seen["connect"] == "ECONNREFUSED")
        let state = try #require(seen.results("supervision").first)
        #expect(state.contains("another seccomp listener is above this process"))
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Cloud metadata` {
    private static let dockerfile = "RUN nc -w 2 169.254.169.254 80 < /dev/null"

    /// Proves that the refusal stands in a build without any option, and is explained.
    @Test func `is refused to a RUN by default`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.probe())\n\(Self.dockerfile)")
        let outcome = try lichen.build(folder, ["-t", "metadata:1"]).run()
        #expect(outcome.status == 3)
        #expect(outcome.error.contains("to 169.254.169.254 port 80, a cloud's metadata service"))
        #expect(outcome.error.contains("--allow metadata"))
    }

    /// Proves that a build goes on where the refusal can't be had, that it says so three times, and that it can be insisted on.
    @Test func `is open below another listener, which is told`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.probe())\nRUN echo a > /a\n")
        let results = try TemporaryDirectory()
        let file = results.path("metadata.json")
        // Without a capability, a filter asks for no_new_privs.
        let above = ["setpriv", "--no-new-privs", try AboveListener.path(), "above"]
        func build(_ words: [String]) throws -> Command.Outcome {
            var command = lichen.build(folder, ["--no-cache", "--metadata-file", file] + words)
            command.arguments = above + command.arguments
            return try command.run()
        }
        let outcome = try build([]).required()
        #expect(outcome.error.contains("warning: RUNs can reach cloud metadata services"))
        let last = outcome.error.split(separator: "\n").last { $0.contains("weaker than") }
        #expect(last?.contains("metadata") == true, "\(outcome)")
        let record = String(decoding: try results.read("metadata.json"), as: UTF8.self)
        #expect(record.contains("\"lichen.weaker\"") && record.contains("\"fact\" : \"metadata\""))
        for words in [["--require", "metadata"], ["--require", "seccomp.listener"]] {
            let refused = try build(words)
            #expect(refused.status == 71 && refused.error.contains("\(words[0]) \(words[1]): "))
        }
        // With nothing to refuse, nothing is weaker but the record.
        let none = try build(["--network", "none"]).required()
        #expect(!none.error.contains("cloud metadata"))
    }

    /// Proves that --allow is part of what a step's result depends on, and is on record.
    @Test func `is allowed by name, which is in key and metadata`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.probe())\nRUN echo a > /a")
        let results = try TemporaryDirectory()
        let file = results.path("metadata.json")
        func build(_ more: [String]) throws -> (isCached: Bool, record: String) {
            let outcome = try lichen.build(
                folder, ["-t", "allowed:1", "--metadata-file", file] + more
            ).run().required()
            let text = String(
                decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
            return (outcome.error.contains("CACHED") || outcome.error.contains("cached"), text)
        }
        let first = try build([])
        #expect(!first.record.contains("lichen.allowed"))
        #expect(first.record.contains("\"lichen.network\" : \"host\""))
        let again = try build([])
        let allowed = try build(["--allow", "metadata"])
        #expect(again.isCached && allowed.isCached == first.isCached)
        #expect(allowed.record.contains("\"lichen.allowed\""))
        #expect(allowed.record.contains("\"metadata\""))
    }
}

/// The probe, as a program of this host: it makes itself the listener above what it starts.
private enum AboveListener {
    private static let built = Result { () throws -> (TemporaryDirectory, String) in
        let directory = try TemporaryDirectory()
        let path = directory.path("probe")
        try Command([
            "gcc", "-static", "-O1", "-o", path, TestHost.fixture("probe.c"),
        ]).run().required()
        return (directory, path)
    }

    static func path() throws -> String { try built.get().1 }
}
