import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The privileges of a RUN` {
    /// policies/capabilities/default-capabilities.json as the kernel writes it.
    private static let bounding = "00000000a80425fb"
    private static let none = "0000000000000000"

    /// Proves that root inside has the policy's capabilities and none that a program it starts could inherit.
    @Test func `are the policy's capabilities and no other`() throws {
        let seen = try seen(inside: "probe identity")
        #expect(seen["uids"] == "0 0 0")
        #expect(seen["gids"] == "0 0 0")
        #expect(seen["CapBnd"] == Self.bounding)
        #expect(seen["CapEff"] == Self.bounding)
        #expect(seen["CapPrm"] == Self.bounding)
        #expect(seen["CapInh"] == Self.none)
        #expect(seen["CapAmb"] == Self.none)
    }

    /// Proves that the invoker's groups do not come along, and that no program gives root more than it has.
    @Test func `cannot grow for root`() throws {
        let seen = try seen(
            inside: "probe identity; su work -c 'setuid-probe identity' | sed 's/^/work-/'")
        #expect(seen["NoNewPrivs"] == "1")
        #expect(seen["Seccomp"] == "2")
        #expect(seen["Seccomp_filters"] == "1")
        #expect(seen.lines.contains("groups"))
        #expect(seen["work-uids"] == "1000 1000 1000")
        #expect(seen["work-CapEff"] == Self.none)
    }

    /// Proves that a user other than root has nothing to begin with, and that sudo-like programs work for it, inside the same
    /// bounding set and under the same filter.
    @Test func `are those of a set-user-id program where USER is not root`() throws {
        let seen = try seen(
            inside: "probe identity; setuid-probe identity | sed 's/^/raised-/'",
            before: "USER work")
        #expect(seen["uids"] == "1000 1000 1000")
        #expect(seen["gids"] == "1000 1000 1000")
        #expect(seen["groups"] == "2000")
        #expect(seen["CapEff"] == Self.none)
        #expect(seen["CapBnd"] == Self.bounding)
        #expect(seen["raised-uids"] == "1000 0 0")
        #expect(seen["raised-CapEff"] == Self.bounding)
        #expect(seen["raised-CapBnd"] == Self.bounding)
        #expect(seen["raised-Seccomp"] == "2")
        #expect(seen["raised-Seccomp_filters"] == "1")
    }

    /// Proves that nothing of how lichen was started reaches the command: ignored signals, umask, descriptors, terminal.
    @Test func `begin from a clean slate`() throws {
        let seen = try seen(
            inside: "probe identity",
            around: [
                "env", "--ignore-signal=HUP,USR1,PIPE", "sh", "-c", "umask 077; exec \"$@\"", "sh",
            ])
        #expect(seen["SigIgn"] == Self.none)
        #expect(seen["SigBlk"] == Self.none)
        #expect(seen["SigCgt"] == Self.none)
        #expect(seen["umask"] == "022")
        #expect(seen["hostname"] == "lichen")
        #expect(seen["directory"] == "/")
        #expect(seen["core"] == "0")
        #expect(seen["terminal"] == "ENXIO")
    }

    /// Proves that a command gets three descriptors, whatever lichen was started with: none of them leads to a host file.
    @Test func `include no descriptor but the three`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            """
            FROM \(Bases.probe())
            RUN ["probe", "descriptors"]
            """)
        var command = lichen.build(folder)
        command.arguments =
            ["sh", "-c", "exec 7</etc/passwd 9>/dev/null; exec \"$@\"", "sh"] + command.arguments
        let outcome = try command.run().required()
        let lines = outcome.error.split(separator: "\n").compactMap { line in
            line.split(separator: " ", maxSplits: 1).last.map(String.init)
        }.filter { $0.first?.isNumber == true && ($0.contains("/dev/") || $0.contains(":")) }
        #expect(lines.filter { !$0.contains("B") } == ["0 /dev/null", "1 pipe:", "2 pipe:"])
    }
}
