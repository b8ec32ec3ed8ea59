import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The process that reads archives for contexts and ADD.
@Suite(.serialized) struct `The reader of archives` {
    /// Proves that whoever takes it over has nothing. The helper ConfinedProcess shuts itself in as it does.
    @Test func `has what is open, and reaches nothing else`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "text".utf8)
        // Through a pipe: it can't write to a file, not even to one that is its output.
        let outcome = try Command([
            "sh", "-c", "\"$@\" | cat", "sh", LichenProgram.bundleFolder + "/ConfinedProcess",
            "reader", directory.path("file"),
        ]).run().required()
        var results: [String: String] = [:]
        for line in outcome.text.split(separator: "\n") {
            let words = line.split(separator: " ")
            results[words.dropLast().joined(separator: " ")] = String(words.last ?? "")
        }
        for name in ["read", "thread", "memory"] { #expect(results[name] == "ok", "\(outcome)") }
        for name in [
            "open a path", "left descriptor", "look at a path", "remove a path", "socket", "pipe",
            "fork", "execute", "signal", "make code", "own file",
        ] { #expect(results[name] == "\(EPERM)", "\(name): \(outcome)") }
        #expect(results["write a file"] == "\(EFBIG)", "\(outcome)")
        #expect(results.count == 15, "\(outcome)")
    }

    /// Proves that it is the one who reads a context: while bytes come it is there, shut in, and without it there is no context.
    @Test(arguments: [true, false])
    func `of a context is shut in, and its death ends the build`(isPacked: Bool) throws {
        let folder = try TemporaryDirectory()
        try folder.write("Dockerfile", "FROM scratch\nCOPY . /\n".utf8)
        let pack = isPacked ? "| gzip" : ""
        try Command([
            "sh", "-ec",
            "cd \(folder.path); head -c 16384 /dev/urandom >noise; tar -c Dockerfile noise \(pack) >context.tar",
        ])
        .run().required()
        let lichen = try LichenProgram()
        let build = lichen.command(["build", "--progress", "plain", "-"])
        let (state, outcome) = try Self.killReader(of: build, feeding: folder.path("context.tar"))
        #expect(outcome.status == 70, "\(outcome)")
        #expect(outcome.error.contains("standard input: the reader of archives ended unexpectedly"))
        #expect(lichen.work.isEmpty)
        #expect(state.contains("Seccomp:\t2"), "\(state)")
        #expect(state.contains("NoNewPrivs:\t1"))
        #expect(state.contains("CapEff:\t0000000000000000"))
    }

    /// The same for an archive that ADD unpacks: 4 GiB of zeros in 4 MiB, so that there is time.
    @Test func `of an ADD is another process, and its death ends the step`() throws {
        let folder = try TemporaryDirectory()
        try folder.write("Dockerfile", "FROM scratch\nADD big.tar.gz /\n".utf8)
        try Command([
            "sh", "-ec",
            """
            cd \(folder.path); truncate -s 4G big
            tar -cf - big | head -c 512 | gzip >big.tar.gz
            truncate -s 64M big; gzip -1 <big >zeros
            for i in $(seq 64); do cat zeros; done >>big.tar.gz
            head -c 1024 /dev/zero | gzip >>big.tar.gz; rm big zeros
            """,
        ]).run().required()
        let lichen = try LichenProgram()
        let build = lichen.command(["build", "--progress", "plain", folder.path])
        let (_, outcome) = try Self.killReader(of: build)
        #expect(outcome.status == 70, "\(outcome)")
        #expect(outcome.error.contains("the reader of archives ended unexpectedly"), "\(outcome)")
        #expect(lichen.work.isEmpty)
    }

    /// Starts a build, kills its reader, and gives the reader's state before and the build's end.
    ///
    /// - Parameter context: goes to standard input, which has no end then.
    private static func killReader(
        of build: Command, feeding context: String = "/dev/null"
    ) throws -> (String, Command.Outcome) {
        var build = build
        let folder = try TemporaryDirectory()
        let script = """
            mkfifo \(folder.path)/input
            "$@" <\(folder.path)/input & build=$!
            exec 9>\(folder.path)/input
            cat \(context) >&9
            # Its children alone: who looks through all of /proc may come too late.
            while ! grep -qs '^State:.Z' /proc/$build/status; do
                for p in $(cat /proc/$build/task/*/children 2>/dev/null); do
                    grep -qs -- --lichen-reader /proc/$p/cmdline && grep -qs '^Seccomp:.2' /proc/$p/status || continue
                    cat /proc/$p/status >\(folder.path)/state
                    kill -9 $p
                    wait $build
                    exit $?
                done
                sleep 0.02
            done
            exit 99
            """
        build.arguments = ["sh", "-c", script, "sh"] + build.arguments
        let outcome = try build.run()
        let state = (try? String(contentsOfFile: folder.path("state"), encoding: .utf8)) ?? ""
        return (state, outcome)
    }
}
