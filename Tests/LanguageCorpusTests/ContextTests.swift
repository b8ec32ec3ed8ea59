import Archive
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Builds with contexts that are no directory, and the files of what comes out.
private final class ContextBuilds: Sendable {
    let lichen: LichenProgram
    let folder: TemporaryDirectory

    init() throws {
        lichen = try LichenProgram()
        folder = try TemporaryDirectory()
    }

    /// A script that makes files in an empty directory, and GNU tar of it; the tar's path.
    func tar(_ script: String, pack: String = "cat", options: String = "") throws -> String {
        let name = "\(UInt64.random(in: 0...UInt64.max))"
        var command = Command([
            "sh", "-ec",
            """
            umask 022; mkdir \(name); cd \(name)
            \(script)
            tar --sort=name --mtime=@1000000000 \(options) -c . | \(pack) >../\(name).tar
            """,
        ])
        command.directory = folder.path
        try command.run().required()
        return folder.path("\(name).tar")
    }

    /// - Parameter input: the path of what comes through standard input.
    func build(
        _ context: String, _ arguments: [String] = [], input: String? = nil,
        environment: [String: String] = [:]
    ) throws -> (outcome: Command.Outcome, files: [String]) {
        let tar = folder.path("\(UInt64.random(in: 0...UInt64.max)).out")
        var command = lichen.command(
            ["build", "--progress", "plain", "-o", "type=tar,dest=" + tar] + arguments + [context],
            environment)
        command.input = input
        let outcome = try command.run()
        #expect(lichen.work.isEmpty, "the work directory holds \(lichen.work)")
        guard outcome.isSuccess else { return (outcome, []) }
        let reader = TarReader(MemorySource([UInt8](try Data(contentsOf: URL(filePath: tar)))))
        var files: [String] = []
        while let entry = try reader.next() {
            let line = FileLine(entry, try reader.data(of: entry, limit: 1 << 20))
            if !line.path.isEmpty && line.path != "." { files.append(line.text) }
        }
        return (outcome, files)
    }

    func write(_ name: String, _ text: String) throws -> String {
        try folder.write(name, text.utf8)
    }

    /// A server of these files.
    func server(_ files: [String: String]) throws -> ScriptedServer {
        try ScriptedServer { request in
            let name = String(request.target.prefix { $0 != "?" })
            if name == "/moved" { return [.answer(302, ["Location": "/files"])] }
            guard let path = files[name], let data = try? Data(contentsOf: URL(filePath: path))
            else { return [.answer(404)] }
            return [.answer(200, ["ETag": "\"\(data.count)\""], body: data)]
        }
    }
}

private let example = """
    printf 'FROM scratch\\nCOPY . /t/\\n' >Dockerfile
    printf 'Dockerfile\\n.dockerignore\\nout\\n*.log\\n!keep.log\\n' >.dockerignore
    printf one >a; mkdir d; printf two >d/b; chmod 4750 d/b; chmod 500 d; ln d/b same; ln -s /etc/x l
    mkdir out; printf no >out/no; printf no >no.log; printf yes >keep.log; printf s >secret; chmod 400 secret
    """

private let exampleFiles = [
    "d 0755 0:0 t", "f 0644 0:0 t/a=one", "d 0500 0:0 t/d", "f 4750 0:0 t/d/b=two",
    "f 0644 0:0 t/keep.log=yes", "l t/l -> /etc/x", "h t/same -> t/d/b", "f 0400 0:0 t/secret=s",
]

@Suite struct `A context on standard input` {
    private let builds: ContextBuilds

    init() throws { builds = try ContextBuilds() }

    @Test(arguments: ["cat", "gzip", "bzip2", "xz", "zstd"])
    func `is a tar, however it is packed`(pack: String) throws {
        let tar = try builds.tar(example, pack: pack)
        let built = try builds.build("-", input: tar)
        #expect(built.files == exampleFiles, "\(built.outcome)")
        let again = try builds.build("-", input: tar)
        #expect(again.outcome.error.contains("1 step, 1 cached"), "\(again.outcome)")
    }

    @Test func `has its Dockerfile where --file says, with an ignore file beside it`() throws {
        let tar = try builds.tar(
            """
            mkdir sub; printf a >a; printf b >b; printf 'FROM scratch\\nCOPY . /\\n' >sub/My
            printf 'b\\nsub\\n' >sub/My.dockerignore
            """)
        let built = try builds.build("-", ["-f", "sub/My"], input: tar)
        #expect(built.files == ["f 0644 0:0 a=a"], "\(built.outcome)")
        let url = try builds.server([
            "/Dockerfile": try builds.write("Remote", "FROM scratch\nCOPY b /remote\n")
        ])
        let remote = try builds.build("-", ["-f", "http://\(url.host)/Dockerfile"], input: tar)
        #expect(remote.files == ["f 0644 0:0 remote=b"], "\(remote.outcome)")
    }

    @Test func `holds archives that ADD unpacks`() throws {
        let tar = try builds.tar(
            """
            printf 'FROM scratch\\nADD in.tar /t/\\n' >Dockerfile; printf x >x; tar --owner=0 --group=0 -cf in.tar x
            """)
        let built = try builds.build("-", input: tar)
        #expect(built.files == ["d 0755 0:0 t", "f 0644 0:0 t/x=x"], "\(built.outcome)")
    }

    @Test func `may be a Dockerfile, which has no files beside it`() throws {
        let file = try builds.write("D", "FROM scratch\nCOPY <<E /x\ntext\nE\n")
        let built = try builds.build("-", input: file)
        #expect(built.files == ["f 0644 0:0 x=text\\n"], "\(built.outcome)")
        let empty = try builds.write("E", "FROM scratch\nCOPY x /\n")
        let failed = try builds.build("-", input: empty)
        #expect(failed.outcome.status == 65)
        #expect(failed.outcome.error.contains("Dockerfile:2: "), "\(failed.outcome)")
        let two = try builds.build("-", ["-f", file], input: empty)
        #expect(two.outcome.status == 65)
        #expect(two.outcome.error.contains("is a Dockerfile, and --file names another"))
    }

    @Test func `is refused where it is nothing, or broken`() throws {
        let tar = try builds.tar("head -c 100000 /dev/urandom >x; : >Dockerfile", pack: "gzip")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: tar)))
        let cut = try builds.folder.write("cut", bytes.prefix(bytes.count / 2))
        for (input, words) in [
            ("/dev/null", "is empty"), (cut, "ends early"),
            (try builds.tar("ln -s /etc l"), "neither a Dockerfile nor a Containerfile"),
            (
                try builds.tar(": >x", options: "--transform=s,x,../x, -P"),
                "leaves the build context"
            ),
        ] {
            let built = try builds.build("-", input: input)
            #expect(built.outcome.status == 65, "\(built.outcome)")
            #expect(built.outcome.error.contains(words), "\(built.outcome)")
        }
        let both = try builds.build("-", ["-f", "-"], input: tar)
        #expect(both.outcome.status == 64)
        #expect(both.outcome.error.contains("can't be both"), "\(both.outcome)")
        let file = try builds.build(tar)
        #expect(file.outcome.status == 65)
        #expect(file.outcome.error.contains("lichen build - <FILE"), "\(file.outcome)")
    }

    @Test func `finds no Dockerfile through a link that leaves it`() throws {
        let outside = try builds.write("outside", "FROM scratch\nCOPY . /\n")
        let tar = try builds.tar("ln -s \(outside) Dockerfile")
        let built = try builds.build("-", input: tar)
        #expect(built.outcome.status == 65)
        #expect(built.outcome.error.contains("neither a Dockerfile"), "\(built.outcome)")
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `leaves nothing when the build is ended while it comes`(signal: CInt) throws {
        let pipe = builds.folder.path("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        let tar = try builds.tar("head -c 3000000 /dev/urandom >x; : >Dockerfile")
        let writer = open(pipe, O_RDWR)
        defer { close(writer) }
        var command = builds.lichen.command(["build", "-"])
        command.input = pipe
        let running = try command.start()
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: tar)).prefix(60_000))
        try #require(write(writer, bytes, bytes.count) == bytes.count)
        // An area, not one of the files on its way into the store.
        func hasArea() -> Bool {
            builds.lichen.work.contains { !$0.hasPrefix("file-") && !$0.hasPrefix("new-") }
        }
        while !hasArea() && running.isAlive { usleep(1000) }
        let start = ContinuousClock.now
        running.send(signal)
        let outcome = try running.finish()
        #expect(outcome.signal == signal, "\(outcome)")
        // One that gets no processor for so long goes without cleaning up.
        let isInTime = ContinuousClock.now - start < .seconds(1)
        #expect(hasArea() == (signal == SIGKILL) || !isInTime)
        // What a killed one left is swept up by a prune, or by the worker of the next build that needs one.
        try builds.lichen.run(["prune"]).required()
        #expect(!hasArea())
        let next = try builds.build("-", input: try builds.tar(example))
        #expect(next.files == exampleFiles)
    }

    @Test func `is seen by plan, too`() throws {
        var command = builds.lichen.command(["plan", "-"])
        command.input = try builds.tar(example)
        let outcome = try command.run().required()
        #expect(outcome.text.contains("COPY . /t/"), "\(outcome)")
        #expect(builds.lichen.work.isEmpty)
    }
}

@Suite struct `A context behind a URL` {
    private let builds: ContextBuilds

    init() throws { builds = try ContextBuilds() }

    @Test func `is an archive, fetched once`() throws {
        let server = try builds.server(["/files": try builds.tar(example, pack: "gzip")])
        let built = try builds.build("http://\(server.host)/moved?signature=x")
        #expect(built.files == exampleFiles, "\(built.outcome)")
    }

    @Test func `may be a Dockerfile`() throws {
        let file = try builds.write("D", "FROM scratch\nCOPY <<E /x\ntext\nE\n")
        let server = try builds.server(["/D": file])
        let built = try builds.build("http://\(server.host)/D")
        #expect(built.files == ["f 0644 0:0 x=text\\n"], "\(built.outcome)")
    }

    @Test func `is a named one, without what its ignore file names`() throws {
        let server = try builds.server(["/src.tar.xz": try builds.tar(example, pack: "xz")])
        let file = try builds.write("D", "FROM scratch\nCOPY --from=src . /t/\n")
        let option = "--build-context=src=http://\(server.host)/src.tar.xz"
        let built = try builds.build("-", [option], input: file)
        #expect(built.files == exampleFiles, "\(built.outcome)")
    }

    @Test func `is refused where it is none`() throws {
        let text = try builds.write("D", "FROM scratch\nCOPY --from=src . /t/\n")
        let server = try builds.server(["/D": text])
        let url = "http://\(server.host)"
        let gone = try builds.build(url + "/gone?signature=x")
        #expect(gone.outcome.status == 69)
        #expect(gone.outcome.error.contains("status 404"), "\(gone.outcome)")
        #expect(!gone.outcome.error.contains("signature=x"), "\(gone.outcome)")
        let named = try builds.build("-", ["--build-context=src=\(url)/D"], input: text)
        #expect(named.outcome.status == 65)
        #expect(named.outcome.error.contains("is no archive"), "\(named.outcome)")
        let from = try builds.write("F", "FROM src\n")
        let base = try builds.build("-", ["--build-context=src=\(url)/D"], input: from)
        #expect(base.outcome.status == 65)
    }
}

@Suite struct `A context that is a git repository` {
    private let builds: ContextBuilds
    private let repositories: Repositories

    init() throws {
        builds = try ContextBuilds()
        repositories = try Repositories()
        try repositories.make(
            """
            cd work; printf 'FROM scratch\\nCOPY . /t/\\n' >Dockerfile; cp Dockerfile docs/
            printf 'Dockerfile\\nlink\\n.dockerignore\\n' >.dockerignore
            git add .; git commit -qm third; git push -q ../repo.git main
            """)
    }

    @Test func `has the files of its HEAD but for what its ignore file names`() throws {
        let built = try builds.build(repositories.url)
        #expect(
            built.files == [
                "d 0755 0:0 t", "f 0644 0:0 t/a=one", "d 0755 0:0 t/docs",
                "f 0644 0:0 t/docs/Dockerfile=FROM scratch\\nCOPY . /t/\\n",
                "f 0644 0:0 t/docs/b=two", "f 0755 0:0 t/run=run",
            ], "\(built.outcome)")
        let again = try builds.build(repositories.url)
        #expect(again.outcome.error.contains("1 step, 1 cached"), "\(again.outcome)")
    }

    @Test func `may be a directory of it`() throws {
        let built = try builds.build(repositories.url + "#main:docs")
        #expect(built.files.contains("f 0644 0:0 t/b=two"), "\(built.outcome)")
        #expect(!built.files.contains { $0.contains("t/a=") })
    }

    @Test func `takes a Dockerfile from standard input`() throws {
        let file = try builds.write("D", "FROM scratch\nCOPY a /\n")
        let built = try builds.build(repositories.url + "#other", ["-f", "-"], input: file)
        #expect(built.files == ["f 0644 0:0 a=changed"], "\(built.outcome)")
    }

    @Test func `has its repository where the build argument asks for it`() throws {
        let argument = "--build-arg=BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"
        let built = try builds.build(repositories.url, [argument])
        #expect(built.files.contains("d 0755 0:0 t/.git"), "\(built.outcome)")
        #expect(!built.outcome.error.contains("is not used"), "\(built.outcome)")
    }

    @Test func `is a named one`() throws {
        let file = try builds.write("D", "FROM scratch\nCOPY --from=src a docs/b /\n")
        let built = try builds.build(
            "-", ["--build-context=src=\(repositories.url)#v1"], input: file)
        #expect(built.files == ["f 0644 0:0 a=one", "f 0644 0:0 b=two"], "\(built.outcome)")
    }

    @Test(arguments: [
        ("#nothere", "has no branch and no tag nothere", 65),
        ("#main:nothere", "has no directory nothere", 65), ("#v1", "neither a Dockerfile", 65),
    ]) func `is refused for what is not there`(fragment: String, words: String, status: Int32)
        throws
    {
        let built = try builds.build(repositories.url + fragment)
        #expect(built.outcome.status == status, "\(built.outcome)")
        #expect(built.outcome.error.contains(words), "\(built.outcome)")
    }

    @Test(arguments: [
        "http://user:secret@localhost/repo.git", "https://localhost/repo.git?rev=x",
        "git://localhost/repo.git#-x", "file://localhost/repo.git", "oci-layout://x",
    ]) func `is refused by its address`(address: String) throws {
        let built = try builds.build(address)
        #expect(built.outcome.status == 64, "\(built.outcome)")
        #expect(!built.outcome.error.contains("secret"))
    }
}
