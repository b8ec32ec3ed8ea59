import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The host, from a RUN,` {
    /// Proves that the files of the user who builds cannot be read, neither by their path nor anywhere in the root.
    @Test func `shows no file of the user's home`() throws {
        let lichen = try LichenProgram()
        let canary = "canary-\(UInt64.random(in: 0...UInt64.max))"
        try Data(canary.utf8).write(to: URL(filePath: lichen.home + "/canary"))
        try Data(canary.utf8).write(to: URL(filePath: lichen.store + "/canary"))
        let seen = try seen(
            inside: """
                for at in "\(lichen.home)" "\(lichen.store)" "/proc/1/root\(lichen.home)" "/proc/1/cwd/\(lichen.home)"; do
                    cat "$at/canary" 2>/dev/null && echo "read $at"
                done
                grep -rl "canar[y]-" / --exclude-dir=proc --exclude-dir=sys 2>/dev/null
                ls /home /work /srv 2>/dev/null
                echo end
                """, with: lichen)
        #expect(seen.text == "end\n")
    }

    /// Proves that a RUN sees its own processes only.
    @Test func `shows no process`() throws {
        let seen = try seen(inside: "cd /proc; for p in [0-9]*; do cat $p/comm; done")
        #expect(seen.lines.first == "lichen-init")
        #expect(Set(seen.lines).isSubset(of: ["lichen-init", "sh", "cat"]))
    }

    /// Proves that process 1, which is a copy of the worker's memory, gives nothing away: no memory, no descriptor, no root.
    @Test func `is out of reach through process 1`() throws {
        let values = try seen(inside: "probe init").values
        for (name, value) in values {
            // It keeps one descriptor, the pipe by which it reports: its number shows, and nothing of it can be had.
            let isClosed = name.contains("/proc/1/fd/") && value == "ENOENT"
            #expect(["EACCES", "EPERM"].contains(value) || isClosed, "\(name) \(value)")
        }
        #expect(values.keys.filter { $0.hasPrefix("descriptor:") } == ["descriptor:0"])
        #expect(values.count > 20)
    }

    /// Proves that a signal to everything that can be signalled, and one to a process of the same user, end nothing outside.
    @Test func `keeps its processes when a RUN kills all`() throws {
        let sleeper = try Command(["sleep", "3000"]).start()
        let seen = try seen(
            inside: "kill -9 \(sleeper.process) || echo none; sleep 3000 & exec probe kill")
        #expect(sleeper.isAlive)
        #expect(seen.lines.contains("none"))
        // Process 1 is outside the Landlock domain of the command.
        #expect(seen["init"] == "EPERM")
        #expect(seen["others"] == "ok")
    }

    /// Proves that the network of the host brings no abstract socket of it along: Landlock's scope.
    @Test func `keeps its abstract sockets to itself under --network host`() throws {
        let name = "lichen-test-\(getpid())"
        let listener = try AbstractListener(name)
        #expect(listener.accepts(), "the test's own control")
        let seen = try seen(inside: "probe abstract \(name)", ["--network", "host"])
        #expect(seen["connect"] == "EPERM")
    }

    /// Proves that a daemon ends with its step, and that what it would write later is in no layer: two seconds after the command's
    /// end, however long that took.
    @Test func `is left by a daemon when its step ends`() throws {
        let mark = "7\(UInt32.random(in: 100_000...999_999))"
        let seen = try seen(
            inside: "sleep 4; ls /late 2>/dev/null; cat /proc/[0-9]*/comm; echo end",
            before: """
                RUN setsid sh -c 'while kill -0 $0; do sleep 0.05; done; sleep 2; echo late > /late; sleep \(mark)' $$ \
                    > /dev/null 2>&1 & sleep 0.1; echo > /begun
                """)
        #expect(!seen.text.contains("late"))
        #expect(!seen.text.contains("sleep"))
        #expect(try !Command(["ps", "-ef"]).run().text.contains(mark))
    }

    /// Proves that nothing outside the store changed: not even a time in the directories around it.
    @Test func `is not written to`() throws {
        let lichen = try LichenProgram()
        try Data("kept".utf8).write(to: URL(filePath: lichen.home + "/file"))
        func times() throws -> String {
            try Command([
                "find", lichen.home, "/etc", "/usr/bin", "-printf", "%p %s %T@ %C@\\n",
            ]).run().text
        }
        var (before, after) = ("", "never looked at")
        // Somebody else of this machine may change its settings, but not each time.
        for _ in 0..<3 where before != after {
            before = try times()
            _ = try seen(
                inside: """
                    for to in / /etc /dev /sys /proc/sys /home /proc/1/root; do echo x > $to/lichen-escape; done
                    mount -t tmpfs none /tmp; mount -o remount,rw /sys; mount -o bind /dev /tmp
                    """, with: lichen)
            after = try times()
        }
        #expect(before == after)
    }
}

/// Listens on an abstract Unix socket of the host.
private final class AbstractListener {
    private let socket: CInt
    private let name: String

    init(_ name: String) throws {
        self.name = name
        socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard Self.with(name, { bind(socket, $0, $1) }) == 0, listen(socket, 8) == 0 else {
            throw TestSupportError("listen on \(name)")
        }
    }

    deinit { close(socket) }

    /// Whether this process can connect to it.
    func accepts() -> Bool {
        let client = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        return Self.with(name) { connect(client, $0, $1) } == 0
    }

    private static func with(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt)
        -> CInt
    {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.utf8.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
