import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Builds where the /proc around is partly covered, as container engines do it.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `A RUN under a covered /proc` {
    /// An ordinary user's place like a container's: files below /dev/null, directories below an empty one, /proc/sys read-only.
    private static let container = [
        "unshare", "-Urm", "sh", "-ec",
        """
        mount -t tmpfs -o ro none /proc/fs
        mount --bind /dev/null /proc/keys
        mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro,nosuid,nodev,noexec /proc/sys
        exec "$@"
        """, "sh",
    ]

    @Test func `sees that one, with its covers and ours, and says so`() throws {
        let folder = try TemporaryDirectory()
        let metadata = folder.path("metadata")
        let seen = try seen(
            inside: """
                echo self $(readlink /proc/self/exe)
                echo fs $(ls /proc/fs | wc -l)
                echo keys $(wc -c </proc/keys)
                echo sys $( (echo x >/proc/sys/kernel/domainname) 2>&1 | grep -c Read-only)
                echo interrupts $(head -c 1 /proc/interrupts | wc -c)
                echo pid $$
                for p in /proc/[0-9]*; do
                    [ "$(tr '\\0' ' ' 2>/dev/null <$p/cmdline)" = "lichen --lichen-worker " ] || continue
                    environment=$(cat $p/environ 2>&1 >/dev/null | grep -c denied)
                    memory=$(cat $p/maps 2>&1 >/dev/null | grep -c denied)
                    files=1
                    for f in $p/fd/*; do readlink $f >/dev/null && files=0; done
                    root=$(ls $p/root/ 2>&1 >/dev/null | grep -c denied)
                    signal=$(kill -0 ${p#/proc/} 2>&1 | grep -c 'No such process')
                    # Another build's may have ended meanwhile; this one's is here as long as we are.
                    [ "$(tr '\\0' ' ' 2>/dev/null <$p/cmdline)" = "lichen --lichen-worker " ] || continue
                    for name in environment memory files root signal; do eval "echo worker-$name \\$$name"; done
                done
                """, ["--metadata-file", metadata], around: Self.container)
        #expect(seen["self"]?.isEmpty == false, "\(seen.text)")
        #expect(seen["fs"] == "0")
        #expect(seen["keys"] == "0")
        #expect(seen["sys"] == "1", "\(seen.text)")
        for name in ["environment", "memory", "files", "root", "signal"] {
            #expect(seen["worker-\(name)"] == "1", "\(name): \(seen.text)")
        }
        #expect(seen["pid"].flatMap { Int($0) }.map { $0 < 100 } == true, "\(seen.text)")
        let error = seen.outcome.error
        #expect(error.contains("warning: the /proc around this build is masked"), "\(error)")
        #expect(error.contains("weaker than the default:"), "\(error)")
        let text = try String(contentsOfFile: metadata, encoding: .utf8)
        #expect(text.contains("\"lichen.weaker\""), "\(text)")
        #expect(text.contains("\"proc.fresh\""), "\(text)")
    }

    @Test func `is refused where a fresh one is required`() throws {
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN true\n")
        var build = try LichenProgram().build(folder, ["--require", "proc.fresh"])
        build.arguments = Self.container + build.arguments
        let outcome = try build.run()
        #expect(outcome.status == 71, "\(outcome)")
        #expect(outcome.error.contains("proc.fresh"), "\(outcome)")
    }

    @Test func `leaves nothing behind all the same`() throws {
        let mark = "3\(UInt32.random(in: 1_000_000...9_999_999))"
        _ = try seen(inside: "sleep \(mark) & sleep 0.1", around: Self.container)
        // In brackets, lest whoever looks find itself.
        let pattern = "[3]\(mark.dropFirst())"
        let left = try Command(["sh", "-c", "grep -lsxz '\(pattern)' /proc/[0-9]*/cmdline"]).run()
        #expect(left.status == 1 || left.text.isEmpty, "\(left)")
    }
}
