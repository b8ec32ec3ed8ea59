import FoundationEssentials
import TestSupport

/// Repositories that are written object by object, where git itself would not make them, behind a server that only hands out files.
final class EvilGit: Sendable {
    let server: ScriptedServer
    private let folder: TemporaryDirectory

    /// - Parameter redirect: where a request is sent instead; nil for the file.
    init(redirecting redirect: @escaping @Sendable (String) -> String? = { _ in nil }) throws {
        let folder = try TemporaryDirectory()
        self.folder = folder
        let path = folder.path
        server = try ScriptedServer { request in
            let name = String(request.target.prefix { $0 != "?" })
            if let place = redirect(name) { return [.answer(302, ["Location": place])] }
            guard !name.contains(".."), let data = try? Data(contentsOf: URL(filePath: path + name))
            else { return [.answer(404)] }
            return [.answer(200, body: data)]
        }
        try run("git init -q --bare -b main repo.git; git -C repo.git update-server-info")
    }

    var url: String { "http://\(server.host)/repo.git" }
    var path: String { folder.path }

    /// Runs a script where the repositories are. `blob TEXT`, `tree` (lines of ls-tree on its input) and `commit TREE` print the
    /// ids of what they make in the bare repository; `main COMMIT` makes it the branch.
    @discardableResult
    func run(_ script: String) throws -> String {
        let tools = """
            G="git -C $PWD/repo.git"
            blob() { printf "$1" | $G hash-object -w --stdin; }
            tree() { $G mktree --missing; }
            commit() { $G commit-tree -m x "$@" </dev/null; }
            main() { $G update-ref refs/heads/main "$1"; }
            """
        var command = Command([
            "sh", "-ec", tools + "\n" + script + "\ngit -C repo.git update-server-info",
        ])
        command.directory = folder.path
        command.environment = [
            "HOME": folder.path, "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@localhost",
            "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@localhost",
        ]
        return try command.run().required().text
    }

    /// Makes `main` a commit of a tree: lines of ls-tree, where TEXT stands for a blob that holds `text`.
    func commit(_ lines: [String], text: String = "x") throws {
        try run(
            """
            id=$(blob '\(text)')
            tree=$(printf '\(lines.map { $0 + "\\n" }.joined())' | sed "s/TEXT/$id/" | tree)
            main $(commit $tree)
            """)
    }
}
