import Archive
import FoundationEssentials
import TestSupport
import Testing

/// Repositories behind a server that only hands out files, and a program that adds them.
final class Repositories: Sendable {
    let server: ScriptedServer
    let lichen: LichenProgram
    private let folder: TemporaryDirectory

    init() throws {
        let folder = try TemporaryDirectory()
        self.folder = folder
        let path = folder.path
        server = try ScriptedServer { request in
            let name = request.target.prefix { $0 != "?" }
            guard !name.contains(".."), let data = try? Data(contentsOf: URL(filePath: path + name))
            else { return [.answer(404)] }
            return [.answer(200, body: data)]
        }
        lichen = try LichenProgram()
        try make(
            """
            git init -q -b main work; cd work
            printf one >a; mkdir docs; printf two >docs/b; printf run >run; ln -s a link
            chmod 755 run; chmod 600 a
            git add .; git commit -qm first; git tag -a -m v1 v1
            git checkout -qb other; printf changed >a; git commit -qam second; git checkout -q main
            git clone -q --bare . ../repo.git
            """)
    }

    /// Runs a script where the repositories are; what it prints.
    @discardableResult
    func make(_ script: String) throws -> String {
        var command = Command([
            "sh", "-ec", script + "\ngit -C \(folder.path)/repo.git update-server-info",
        ])
        command.directory = folder.path
        command.environment = [
            "HOME": folder.path, "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@localhost",
            "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@localhost",
        ]
        return try command.run().required().text.split(separator: "\n").joined(separator: "\n")
    }

    var path: String { folder.path }

    func commit(_ name: String) throws -> String {
        try make("git -C repo.git rev-parse '\(name)^{commit}'")
    }

    var url: String { "http://\(server.host)/repo.git" }

    /// Builds `FROM scratch` with an ADD, where REPO stands for the repository's address; the files of the image.
    func add(_ arguments: String, _ options: [String] = []) throws -> (
        outcome: Command.Outcome, files: [String]
    ) {
        let dockerfile =
            "FROM scratch\nADD "
            + arguments.split(separator: "REPO", omittingEmptySubsequences: false).joined(
                separator: "http://\(server.host)/repo.git") + "\n"
        let context = try BuildFolder(dockerfile)
        let tar = folder.path("\(UInt64.random(in: 0...UInt64.max)).tar")
        let outcome = try lichen.build(context, ["-o", "type=tar,dest=" + tar] + options).run()
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
}

@Suite struct `An ADD of a git repository` {
    private let repositories: Repositories

    init() throws { repositories = try Repositories() }

    @Test func `has the files of its HEAD, with git's modes and without the repository`() throws {
        let added = try repositories.add("REPO /t/")
        #expect(
            added.files == [
                "d 0755 0:0 t", "f 0644 0:0 t/a=one", "d 0755 0:0 t/docs",
                "f 0644 0:0 t/docs/b=two",
                "l t/link -> a", "f 0755 0:0 t/run=run",
            ], "\(added.outcome)")
    }

    @Test(arguments: [("#other", "changed"), ("#v1", "one"), ("#refs/heads/other", "changed")])
    func `takes a branch or a tag`(fragment: String, content: String) throws {
        let added = try repositories.add("REPO\(fragment) /t/")
        #expect(added.files.contains("f 0644 0:0 t/a=\(content)"), "\(added.outcome)")
    }

    @Test(arguments: ["#:docs", "#main:docs", "#v1:/docs/", "#main:docs/../docs"])
    func `takes one directory`(fragment: String) throws {
        let added = try repositories.add("REPO\(fragment) /t")
        #expect(added.files == ["d 0755 0:0 t", "f 0644 0:0 t/b=two"], "\(added.outcome)")
    }

    @Test func `takes a whole commit id, and asks nobody for one that is known`() throws {
        let commit = try repositories.commit("other")
        let first = try repositories.add("REPO#\(commit) /t/")
        #expect(first.files.contains("f 0644 0:0 t/a=changed"), "\(first.outcome)")
        let count = repositories.server.requests.count
        let second = try repositories.add("REPO#\(commit) /t/")
        #expect(second.outcome.error.contains("1 step, 1 cached"), "\(second.outcome)")
        #expect(repositories.server.requests.count == count)
    }

    @Test func `is known by its commit`() throws {
        _ = try repositories.add("REPO#main /t/")
        #expect(try repositories.add("REPO#v1 /t/").outcome.error.contains("1 step, 1 cached"))
        try repositories.make(
            "cd work; printf new >a; git commit -qam third; git push -q ../repo.git main")
        let third = try repositories.add("REPO#main /t/")
        #expect(third.outcome.error.contains("1 step, 0 cached"))
        #expect(third.files.contains("f 0644 0:0 t/a=new"), "\(third.outcome)")
    }

    @Test func `keeps the repository where that is asked for`() throws {
        let added = try repositories.add("--keep-git-dir=true REPO#main /t/")
        #expect(added.files.contains("d 0755 0:0 t/.git"), "\(added.outcome)")
        #expect(added.files.contains { $0.hasPrefix("f 0644 0:0 t/.git/HEAD=") })
        #expect(added.files.contains("f 0644 0:0 t/a=one"))
    }

    @Test func `takes owner, mode and --exclude`() throws {
        let added = try repositories.add("--chown=1:2 --chmod=700 --exclude=docs REPO /t/")
        #expect(
            added.files == [
                "d 0700 1:2 t", "f 0700 1:2 t/a=one", "l t/link -> a", "f 0700 1:2 t/run=run",
            ], "\(added.outcome)")
    }

    @Test func `is checked against a commit`() throws {
        let commit = try repositories.commit("main")
        for sum in [commit, String(commit.prefix(7))] {
            #expect(try repositories.add("--checksum=\(sum) REPO#main /t/").outcome.isSuccess)
        }
        let other = try repositories.commit("other")
        let added = try repositories.add("--checksum=\(other) REPO#main /t/")
        #expect(added.outcome.status == 65)
        #expect(added.outcome.error.contains("is the commit \(commit), not \(other)"))
    }

    @Test func `has the repositories within it`() throws {
        try repositories.make(
            """
            id=$(git -C work rev-parse other)
            git init -q -b main outer; cd outer
            printf '[submodule "sub"]\\n\\tpath = sub\\n\\turl = http://\(repositories.server.host)/repo.git\\n' >.gitmodules
            git update-index --add --cacheinfo 160000,$id,sub; git add .gitmodules
            git commit -qm outer; git clone -q --bare . ../outer.git
            git -C ../outer.git update-server-info
            """)
        let added = try repositories.add("http://\(repositories.server.host)/outer.git /t/")
        #expect(added.files.contains("f 0644 0:0 t/sub/a=changed"), "\(added.outcome)")
        #expect(!added.files.contains { $0.contains("/.git ") || $0.contains("/.git=") })
    }

    @Test(arguments: ["HERE/repo.git", "file://HERE/repo.git", "ext::sh -c date"])
    func `refuses a repository within it that is of this machine`(url: String) throws {
        let url = url.split(separator: "HERE", omittingEmptySubsequences: false).joined(
            separator: repositories.path)
        try repositories.make(
            """
            id=$(git -C work rev-parse other)
            git init -q -b main outer; cd outer
            printf '[submodule "sub"]\\n\\tpath = sub\\n\\turl = %s\\n' '\(url)' >.gitmodules
            git update-index --add --cacheinfo 160000,$id,sub; git add .gitmodules
            git commit -qm outer; git clone -q --bare . ../outer.git
            git -C ../outer.git update-server-info
            """)
        let added = try repositories.add("http://\(repositories.server.host)/outer.git /t/")
        #expect(added.outcome.status == 69)
        #expect(added.outcome.error.contains("not allowed"), "\(added.outcome)")
    }

    @Test(arguments: [
        ("REPO#nothere /t/", "has no branch and no tag nothere", 65),
        ("REPO#main:nothere /t/", "has no directory nothere", 65),
        ("REPO#main:link /t/", "has no directory link", 65),
        ("REPO?rev=main /t/", "did you mean ref?", 65),
        ("http://user:secret@localhost/repo.git /t/", "has a user or a password", 65),
        ("REPO#-x /t/", "no address of a git repository", 65),
        ("REPO#a..b /t/", "no address of a git repository", 65),
    ])
    func `is refused for what can't be`(arguments: String, words: String, status: Int32) throws {
        let added = try repositories.add(arguments)
        #expect(added.outcome.status == status, "\(added.outcome)")
        #expect(added.outcome.error.contains(words), "\(added.outcome)")
        #expect(added.outcome.error.contains("Dockerfile:2: "), "\(added.outcome)")
    }

    @Test func `ends the build where nobody answers`() throws {
        let added = try repositories.add("git://127.0.0.1:1/repo.git /t/")
        #expect(added.outcome.status == 69)
        #expect(added.outcome.error.contains("git ls-remote failed"), "\(added.outcome)")
    }
}
