import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The process that reads foreign archives and trees. The helper ConfinedProcess shuts itself in as it does.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The unpacker` {
    /// Proves that whoever takes it over has files below the store, and nothing else of the user or the host.
    @Test func `reaches the files that it was given, and nothing else`() throws {
        let directory = try TemporaryDirectory()
        for name in ["writable", "readable"] { mkdir(directory.path(name), 0o700) }
        try directory.write("readable/file", "x".utf8)
        let outcome = try Command([
            "unshare", "--map-root-user", "--mount", "--pid", "--net", "--ipc", "--fork",
            LichenProgram.bundleFolder + "/ConfinedProcess", directory.path("writable"),
            directory.path("readable"),
        ]).run().required()
        var results: [String: String] = [:]
        for line in outcome.text.split(separator: "\n") {
            let words = line.split(separator: " ")
            results[words.dropLast().joined(separator: " ")] = String(words.last ?? "")
        }
        let works = ["write below", "attribute of a link", "read beside", "thread"]
        for name in works { #expect(results[name] == "ok", "\(name): \(outcome)") }
        let refused = ["\(EACCES)", "\(EPERM)"]
        let gone = refused + ["\(ENOENT)"]
        for name in [
            "write beside", "left descriptor", "socket", "fork", "execute", "mount", "ptrace",
        ] { #expect(refused.contains(results[name] ?? ""), "\(name): \(outcome)") }
        for name in ["host path", "host root", "up"] {
            #expect(gone.contains(results[name] ?? ""), "\(name): \(outcome)")
        }
        #expect(results.count == 14, "\(outcome)")
    }

    /// Proves that the built program's own one is shut in: its state, as the kernel shows it, while a build runs.
    @Test func `of a build is shut in`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN sleep 3000\n")
        let running = try lichen.build(folder).start()
        defer { kill(running.process, SIGTERM) }
        var status = ""
        while running.isAlive, !status.contains("Seccomp:\t2"), running.age < Command.patience {
            status = try Command([
                "sh", "-c",
                "for p in /proc/[0-9]*; do grep -qs -- --lichen-unpacker $p/cmdline && grep -qs \"^Uid:.\\($(id -u)\\)\" $p/status "
                    + "&& cat $p/status; done; true",
            ]).run().text
            usleep(20_000)
        }
        #expect(status.contains("Seccomp:\t2"), "\(status)")
        #expect(status.contains("NoNewPrivs:\t1"))
        // CHOWN, DAC_OVERRIDE, FOWNER, FSETID and SETFCAP.
        #expect(status.contains("CapEff:\t000000008000001b"), "\(status)")
        #expect(status.contains("CapBnd:\t000000008000001b"))
    }
}
