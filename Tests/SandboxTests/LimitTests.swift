import Glibc
import TestSupport
import Testing

/// A RUN that takes too much, and what the user sees.
private func build(
    _ script: String, _ arguments: [String] = [], program: LichenProgram? = nil
) throws -> Command.Outcome {
    let folder = try BuildFolder(
        """
        FROM \(Bases.probe())
        RUN <<END
        \(script)
        END
        """)
    let lichen = try program ?? LichenProgram()
    let outcome = try lichen.build(folder, ["--no-cache"] + arguments).run()
    // Whatever the RUN did, the builder cleaned up behind it.
    #expect(lichen.work.isEmpty, "\(lichen.work)")
    return outcome
}

/// The lines about an instruction's end, without what is above them.
private func ending(_ outcome: Command.Outcome) -> String {
    outcome.error.split(separator: "\n").filter { $0.contains("the command failed") }.joined()
}

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `A RUN that takes too much` {
    /// In a shell's memory, without a file.
    private static let memoryBomb = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"
    /// A shell that can't fork ends; watch(1) begins again for ever, and what was started stays.
    private static let forkBomb =
        "watch -t -n 1 'while :; do sleep 3000 & done' > /dev/null 2>&1"

    @Test func `of memory is ended, by its name`() throws {
        let outcome = try build(Self.memoryBomb, ["--memory", "128m"])
        #expect(outcome.status == 1)
        #expect(
            ending(outcome).contains("ended at its memory limit of 128 MiB (--memory)"),
            "\(outcome)")
    }

    /// Each process is small: it is their sum that counts.
    @Test func `by many small processes is ended all the same`() throws {
        let outcome = try build(
            """
            piece() { x=aaaaaaaaaaaaaaaa; while [ ${#x} -lt 4194304 ]; do x=$x$x; done; sleep 3000; }
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do piece & done; wait
            """, ["--memory", "48m"])
        #expect(outcome.status == 1)
        #expect(ending(outcome).contains("memory limit of 48 MiB"), "\(outcome)")
    }

    /// What is in /dev/shm belongs to no process, and is memory.
    @Test(arguments: ["/dev/shm", "/t"])
    func `of files in memory is ended`(place: String) throws {
        let folder = try BuildFolder(
            """
            FROM \(Bases.probe())
            RUN --mount=type=tmpfs,target=/t dd if=/dev/zero of=\(place)/x bs=1M count=100; sleep 3000
            """)
        let outcome = try LichenProgram().build(
            folder, ["--memory", "64m", "--shm-size", "1g"]
        ).run()
        #expect(outcome.status == 1)
        #expect(ending(outcome).contains("memory limit of 64 MiB"), "\(outcome)")
    }

    /// A large file in the page cache, or a mapping that is shared, is nobody's excess.
    @Test func `is not one that reads and writes large files`() throws {
        let outcome = try build(
            "dd if=/dev/zero of=/big bs=1M count=200; cat /big /big > /dev/null; rm /big",
            ["--memory", "64m"])
        #expect(outcome.isSuccess, "\(outcome)")
    }

    /// Standing at the limit for ten seconds ends it; this test's own user can start processes all the while.
    @Test func `of processes is ended, and others can go on`() async throws {
        let lichen = try LichenProgram()
        async let bomb = Task.detached {
            try build(Self.forkBomb, ["--pids", "200"], program: lichen)
        }.value
        var started = 0
        for _ in 0..<40 {
            if try Command(["true"]).run().isSuccess { started += 1 }
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(started == 40)
        let outcome = try await bomb
        #expect(outcome.status == 1)
        #expect(
            ending(outcome).contains("ended at its limit of 200 processes (--pids)"), "\(outcome)")
    }

    /// Users of the image can't each have as many: together they have no more (Linux 6.14 has one number for all).
    @Test(.enabled(if: isAtLeast(6, 14), "this kernel counts for each user only"))
    func `of processes of several users is refused them`() throws {
        let outcome = try build(
            """
            mkfifo /fifo; chmod 666 /fifo; exec 3<> /fifo
            for user in work nobody; do
                su $user -s /bin/sh -c 'trap "echo done > /fifo" EXIT; for i in $(seq 390); do sleep 3000 & done' 2> /dev/null &
            done
            # Each has all that it wants, or was refused. Nothing here needs a process of its own.
            read line <&3; read line <&3; set -- /proc/[0-9]*; echo "processes: $#"; kill -9 -1; exit 0
            """, ["--pids", "400"])
        let line = outcome.error.split(separator: "\n").first { $0.contains("processes: ") }
        let count = Int(line?.split(separator: " ").last ?? "") ?? 0
        #expect(count > 500 && count <= 701, "\(outcome)")
    }

    @Test func `hears of a limit that it came to`() throws {
        let outcome = try build(
            "for i in $(seq 60); do sleep 3000 & done; exit 3", ["--pids", "40"])
        #expect(outcome.status == 1)
        #expect(outcome.error.lowercased().contains("resource temporarily unavailable"))
    }

    /// A file bomb on a small disk: dd alone would go on for ever.
    @Test func `of disk is ended before the store is full`() throws {
        let folder = try BuildFolder(
            """
            FROM scratch
            COPY busybox /bin/sh
            COPY busybox /bin/dd
            COPY busybox /bin/sleep
            RUN while :; do dd if=/dev/zero of=/x bs=1M count=1 oflag=append conv=notrunc; sleep 0.005; done 2> /dev/null
            """)
        try Command(["cp", TestHost.find("busybox")!, folder.path + "/busybox"]).run().required()
        chmod(folder.path, 0o755)
        let directory = try TemporaryDirectory()
        defer { TestHost.remove(directory.path) }
        chmod(directory.path, 0o755)
        var command = Command([
            TestHost.fixture("small_disk.sh"), directory.path, "300000", "bash", "-uc",
            "$LICHEN build --progress plain $CONTEXT; echo status $?; "
                + "df -k --output=avail $DISK; $LICHEN store check",
        ])
        let disk = directory.path + "/disk"
        command.environment = [
            "DISK": disk, "CONTEXT": folder.path, "LICHEN": LichenProgram.binary, "HOME": disk,
            "LICHEN_ROOT": disk + "/store",
        ]
        let outcome = try command.run()
        #expect(outcome.text.contains("status 1"), "\(outcome)")
        #expect(
            ending(outcome).contains("ended because the store's file system has less than"),
            "\(outcome)")
        #expect(outcome.isSuccess, "the store is not whole: \(outcome)")
    }
}

/// Whether this kernel is Linux MAJOR.MINOR or later.
private func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: name.release) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    let numbers = release.split { !$0.isNumber }.compactMap { Int($0) }
    return numbers.count > 1 && (numbers[0], numbers[1]) >= (major, minor)
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Limits of a RUN` {
    @Test func `have defaults`() throws {
        let seen = try seen(
            inside: """
                echo "processes $(ulimit -u)"; echo "core $(ulimit -c)"; echo "files $(ulimit -n)"
                echo "shm $(df -k /dev/shm | tail -n 1 | awk '{print $2}')"
                echo "victim $(cat /proc/self/oom_score_adj)"
                """)
        // A hard limit of our own may be less.
        let processes = try #require(seen["processes"].flatMap { Int($0) })
        #expect((1...4097).contains(processes), "\(seen.text)")
        #expect(seen["core"] == "0" && seen["files"] == "1024" && seen["shm"] == "65536")
        #expect(try #require(seen["victim"].flatMap { Int($0) }) >= 500)
        #expect(!seen.outcome.error.contains("limits of a RUN hold"))
    }

    @Test func `are what was asked for`() throws {
        let seen = try seen(
            inside: """
                echo "files $(ulimit -S -n) $(ulimit -H -n)"; echo "size $(ulimit -f)"
                echo "processes $(ulimit -u)"; echo "core $(ulimit -H -c)"
                echo "shm $(df -k /dev/shm | tail -n 1 | awk '{print $2}')"
                dd if=/dev/zero of=/x bs=1k count=100 2> /dev/null
                echo "file $(stat -c %s /x)"; rm /x
                """,
            [
                "--ulimit", "nofile=100:200", "--ulimit=fsize=51200", "--pids=77", "--ulimit",
                "core=0:-1", "--shm-size", "8m",
            ])
        #expect(seen["files"] == "100 200" && seen["size"] == "100" && seen["processes"] == "78")
        #expect(seen["shm"] == "8192" && seen["file"] == "51200", "\(seen.text)")
        #expect(seen.outcome.error.contains("limits of a RUN hold by "))
        let told = seen.outcome.error.split(separator: "\n").filter {
            $0.contains("limits of a RUN hold")
        }
        #expect(told.count == 1)
    }

    @Test func `above what this user may have are refused`() throws {
        let folder = try BuildFolder("FROM \(Bases.probe())\nRUN true")
        let lichen = try LichenProgram()
        var command = lichen.build(folder, ["--ulimit", "nofile=600:700"])
        command.arguments = ["sh", "-c", "ulimit -n 512; exec \"$@\"", "sh"] + command.arguments
        let outcome = try command.run()
        #expect(outcome.status == 71, "\(outcome)")
        #expect(outcome.error.contains("--ulimit nofile is above this user's own hard limit, 512"))
    }

    /// Proves that a share of processors is an error where nothing can hold it.
    @Test(.enabled(if: !hasDelegatedCgroup, "a cgroup is delegated here"))
    func `of processors need a cgroup`() throws {
        let outcome = try build("true", ["--cpus", "0.5"])
        #expect(outcome.status == 71, "\(outcome)")
        #expect(outcome.error.contains("--cpus can't be had"))
        #expect(outcome.error.contains("Delegate=yes"))
    }

    @Test func `are in the key of a step only where they were asked for`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.probe())\nRUN echo > /x")
        func isCached(_ words: String...) throws -> Bool {
            let outcome = try lichen.build(folder, words).run().required()
            return outcome.error.split(separator: "\n").contains { $0.hasSuffix(" cached") }
        }
        #expect(try !isCached())
        #expect(try isCached())
        #expect(try !isCached("--memory", "1g"))
        #expect(try isCached("--memory", "1g"))
        #expect(try !isCached("--memory", "2g"))
        #expect(try !isCached("--ulimit", "nofile=100"))
        #expect(try isCached())
    }

    /// Proves that nothing of a RUN goes on when its files are looked at: not what left its session, nor what ignores signals.
    @Test func `include time: daemons end with the command`() throws {
        let marker = "\(UInt32.random(in: 100_000_000...999_999_999))"
        let seen = try seen(
            inside: """
                (setsid sh -c 'trap "" TERM HUP INT; while :; do echo x >> /seen/daemon; sleep 0.01; done' &) &
                (setsid sleep \(marker) &)
                sleep 0.5; echo "ended yes"
                """)
        #expect(seen["ended"] == "yes")
        let processes = try Command([
            "sh", "-c", "cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' '",
        ])
        .run().text
        #expect(!processes.contains("sleep \(marker)"))
    }
}

/// Whether limits hold by cgroups here: the build says so.
private let hasDelegatedCgroup: Bool = {
    let outcome = try? build("true", ["--pids", "500"])
    return outcome?.error.contains("hold by cgroup") ?? false
}()
