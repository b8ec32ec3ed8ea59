import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: resources` {
    /// Under a strict limit: the machine that tests goes on working. SandboxTests has bombs without one.
    @Test func `L01 a fork bomb is its own end, and others can fork`() throws {
        try attack("L01") { scene in
            let command = try scene.buildCommand(
                "FROM \(Bases.busybox())\nRUN b() { b | b & }; b; sleep 2; : \(scene.marker); exit 3\n",
                [:],
                ["--pids", "60", "--no-cache"])
            let running = try command.start()
            var slowest = Duration.zero
            for _ in 0..<40 {
                usleep(50_000)
                let outcome = try Command(["true"]).run()
                #expect(outcome.isSuccess)
                slowest = max(slowest, outcome.duration)
            }
            #expect(slowest < .seconds(60))
            let outcome = try running.finish()
            #expect(outcome.status == 1, "\(outcome)")
            scene.expectSound(outcome)
        }
    }

    @Test func `L02 a file grows to its limit, and memory files to theirs`() throws {
        try attack("L02") { scene in
            let outcome = try scene.build(
                """
                FROM \(Bases.busybox())
                RUN trap '' XFSZ; ! dd if=/dev/zero of=/big bs=64k count=64 2>/dev/null; rm /big
                RUN trap '' XFSZ; ! truncate -s 1T /sparse; rm -f /sparse
                RUN ! dd if=/dev/zero of=/dev/shm/x bs=64k count=64 2>/dev/null; rm /dev/shm/x
                RUN --mount=type=cache,target=/c trap '' XFSZ; ! dd if=/dev/zero of=/c/x bs=64k count=64 2>/dev/null; rm /c/x
                """, [:], ["--ulimit", "fsize=1048576", "--shm-size", "1m", "--no-cache"])
            #expect(outcome.isSuccess, "\(outcome)")
        }
    }

    /// While a RUN renames and replaces all that it may write to, the base of another stage is unpacked: the same each time.
    @Test func `T23 no RUN reaches a tree that is being unpacked`() throws {
        try attack("T23") { scene in
            let image = RawImage { tar in
                for directory in 0..<20 {
                    tar.directory("d\(directory)")
                    for file in 0..<20 {
                        tar.file("d\(directory)/f\(file)", "\(directory) \(file)")
                    }
                }
            }
            let base = try scene.base(image)
            var seen: Set<[String]> = []
            for _ in 0..<Self.races {
                try scene.lichen.run(["prune", "--all"]).required()
                let files = try scene.files(
                    """
                    FROM \(Bases.busybox()) AS racer
                    RUN for round in 1 2 3; do for f in $(find / -xdev -name 'd[0-9]*' -o -xdev -name 'f[0-9]*' 2>/dev/null); do \
                        mv $f $f.pwn 2>/dev/null; echo pwn > $f; done; done; cut -d' ' -f4,5 /proc/self/mountinfo > /mounts
                    FROM scratch
                    COPY --from=base / /
                    COPY --from=racer /mounts /
                    """, ["base": base], ["--no-cache", "--jobs", "2"])
                seen.insert(files.layers[0].entries.map { "\($0.name) \($0.kind) \($0.content)" })
                let mounts = files.layers[1].entry("mounts")?.content ?? ""
                #expect(!mounts.isEmpty && !mounts.contains(scene.lichen.store))
            }
            #expect(seen.count == 1)
        }
    }

    /// LICHEN_FUZZ_RACES=50 for as many as the corpus asks for.
    private static let races = getenv("LICHEN_FUZZ_RACES").flatMap { Int(String(cString: $0)) } ?? 4
}
