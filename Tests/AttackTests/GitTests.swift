import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: git` {
    private func add(
        _ scene: Scene, _ address: String, _ environment: [String: String] = [:]
    ) throws -> Command.Outcome {
        try scene.build("FROM scratch\nADD [\"\(address)\", \"/t/\"]\n", [:], [], environment)
    }

    /// GHSA-hw3h-2gp9-cxpv.
    @Test func `G02 a branch that the server names is no option`() throws {
        try attack("G02") { scene in
            let mark = scene.path("pwn-branch")
            let git = try EvilGit()
            try git.commit(["100644 blob TEXT\\tfile"])
            let name = "refs/heads/--upload-pack=touch\u{a0}\(mark)"
            try git.run(
                """
                commit=$($G rev-parse main)
                mkdir -p "repo.git/$(dirname '\(name)')"; echo $commit > 'repo.git/\(name)'
                printf '%s\\t%s\\n' $commit '\(name)' > extra
                echo 'ref: \(name)' > repo.git/HEAD
                """)
            try git.run("cat extra >> repo.git/info/refs; true")
            for address in [git.url, git.url + "#--upload-pack=touch"] {
                let outcome = try add(scene, address)
                #expect([0, 65, 69].contains(outcome.status), "\(outcome)")
                #expect(!FileManager.default.fileExists(atPath: mark))
            }
        }
    }

    @Test(arguments: [
        "ext::sh -c 'touch pwn-ext'", "fd::3", "file:///etc", "/etc", "ftp://127.0.0.1:1/x.git",
    ])
    func `G03 only protocols of the network are spoken`(address: String) throws {
        try attack("G03") { scene in
            for address in [address, address + "#main"] {
                scene.expectRefusal(
                    try add(scene, address), status: [65, 69], ["Dockerfile:2"])
            }
        }
    }

    @Test(arguments: ["file:///etc/passwd", "ext::sh -c touch% pwn-redirect", "/etc"])
    func `G03 a redirect leads to no other protocol`(place: String) throws {
        try attack("G03-redirect") { scene in
            let git = try EvilGit(redirecting: { $0.hasSuffix("info/refs") ? place : nil })
            scene.expectRefusal(
                try add(scene, git.url), status: [69], ["Dockerfile:2"])
        }
    }

    /// CVE-2018-17456, CVE-2018-11235, CVE-2022-39253, CVE-2025-48384, and a command for an update.
    @Test(arguments: [
        ("sub", "file://PRIVATE", ""), ("sub", "PRIVATE", ""), ("sub", "-u./payload", ""),
        ("sub", "ext::sh -c touch% pwn-sub", ""), ("sub", "fd::7", ""),
        ("sub", "URL", "\\tupdate = !touch pwn-update\\n"), (".git/hooks", "URL", ""),
        ("../../out", "URL", ""), ("sub\\r", "URL", ""), ("-x", "URL", ""),
    ])
    func `G04 a submodule is a repository of the network, in its own place`(
        path: String, url: String, more: String
    ) throws {
        try attack("G04") { scene in
            let secret = "private-\(UInt32.random(in: 0 ... .max))"
            let beside = try TemporaryDirectory()
            let hidden = beside.path("private")
            var make = Command([
                "sh", "-ec",
                "git init -q -b main \(hidden); cd \(hidden); printf \(secret) >f; git add f; git -c user.name=a -c user.email=b commit -qm x",
            ])
            make.environment = ["HOME": hidden]
            try make.run().required()
            let git = try EvilGit()
            try git.commit(["100755 blob TEXT\\tpayload"], text: "#!/bin/sh\\ntouch pwn-payload\\n")
            let url = url.replacing("PRIVATE", with: hidden).replacing("URL", with: git.url)
            try git.run(
                """
                commit=$(git -C '\(hidden)' rev-parse HEAD)
                modules=$(blob '[submodule "\(path)"]\\n\\tpath = \(path)\\n\\turl = \(url)\\n\(more)')
                name=$(printf -- '\(path)')
                payload=$($G rev-parse main:payload)
                tree=$(printf '100644 blob %s\\t.gitmodules\\0160000 commit %s\\t%s\\0100755 blob %s\\tpayload\\0' \
                    $modules $commit "$name" $payload | $G mktree -z --missing) || tree=$($G rev-parse main^{tree})
                main $(commit $tree)
                """)
            let outcome = try add(scene, git.url)
            #expect([0, 65, 69].contains(outcome.status), "\(outcome)")
            try scene.expectNowhere(secret)
        }
    }

    /// Names that would be the repository's own, or lead out of the tree; a hook and a filter among them.
    @Test(arguments: [
        ["100644 blob TEXT\\t.git"], ["120000 blob TEXT\\t.git"], ["100755 blob TEXT\\t.."],
        ["120000 blob TEXT\\tlink", "100644 blob TEXT\\tlink2"],
        ["100644 blob TEXT\\t.gitattributes", "100755 blob TEXT\\tpost-checkout"],
    ])
    func `G06 a tree's names stay in the tree`(lines: [String]) throws {
        try attack("G06") { scene in
            let git = try EvilGit()
            try git.commit(lines, text: scene.canary.path)
            let outcome = try add(scene, git.url)
            #expect([0, 65, 69].contains(outcome.status), "\(outcome)")
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    /// A commit within a commit within a commit, each of them a repository of its own to fetch.
    @Test func `G06 trees within trees are given up, or come to an end`() throws {
        try attack("G06-bomb") { scene in
            let git = try EvilGit()
            // Ten names for the same tree, five levels deep: a hundred thousand paths of a few objects.
            try git.run(
                """
                id=$(blob x); tree=$(printf "100644 blob $id\\tf\\n" | tree)
                for level in 1 2 3; do
                    tree=$(for n in 0 1 2 3 4 5 6 7 8 9; do printf "040000 tree $tree\\td$n\\n"; done | tree)
                done
                main $(commit $tree)
                """)
            let outcome = try add(scene, git.url)
            #expect([0, 65, 69].contains(outcome.status), "\(outcome)")
        }
    }

    @Test func `G05 an address with a password is refused, and not repeated`() throws {
        try attack("G05") { scene in
            let git = try EvilGit()
            let token = "token-\(UInt32.random(in: 0 ... .max))"
            for address in [
                "http://user:\(token)@\(git.server.host)/repo.git",
                "http://\(token)%0a@\(git.server.host)/repo.git",
                "http://\(git.server.host)%0ahost=evil/repo.git",
            ] {
                let outcome = try scene.build("FROM scratch\nADD \(address) /t/\n")
                scene.expectRefusal(outcome, status: [65, 69], ["Dockerfile:2"])
            }
            #expect(git.server.requests.allSatisfy { $0.headers["authorization"] == nil })
            try scene.expectNowhere(token)
        }
    }

    @Test func `G07 programs of a context or a repository are not run`() throws {
        try attack("G07") { scene in
            let git = try EvilGit()
            let mark = scene.path("pwn-path")
            let script = "#!/bin/sh\\ntouch \(mark)\\nexit 1\\n"
            let names = ["git", "ssh", "sed", "sh", "tar", "basename", "uname", "git-remote-http"]
            try git.commit(names.map { "100755 blob TEXT\\t\($0)" }, text: script)
            let context = try BuildFolder("FROM scratch\nADD \(git.url) /t/\n")
            for name in names {
                try context.write(name, "#!/bin/sh\ntouch \(mark)\nexit 1\n")
                chmod(context.path + "/" + name, 0o755)
            }
            var command = scene.command(
                ["build", "--progress", "plain", "."], ["PATH": ".::bin:/usr/bin:/bin"])
            command.directory = context.path
            let outcome = try command.run()
            scene.expectSound(outcome)
            #expect(outcome.isSuccess, "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: mark))
        }
    }

    @Test func `G08 a commit is the one that is named`() throws {
        try attack("G08") { scene in
            let git = try EvilGit()
            try git.commit(["100644 blob TEXT\\tfile"])
            let commit = try git.run("$G rev-parse main").filter(\.isHexDigit)
            try add(scene, "\(git.url)#\(commit)").required()
            let unknown = String(repeating: "0123456789", count: 4)
            for bad in [unknown, String(commit.prefix(10)), commit.uppercased(), commit + "0"] {
                let outcome = try add(scene, "\(git.url)#\(bad)")
                #expect([65, 69].contains(outcome.status), "\(bad): \(outcome)")
            }
        }
    }
}
