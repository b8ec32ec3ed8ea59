import FoundationEssentials
import Glibc

/// Another program, run to its end.
public enum Program {
    /// What it wrote to its standard output; an exit status other than 0 is an error.
    public static func output(_ arguments: [String]) throws -> String {
        let directory = try TemporaryDirectory()
        let process = try start(arguments, output: directory.path("output"))
        var status: CInt = 0
        guard waitpid(process, &status, 0) == process, status == 0 else {
            throw TestSupportError("\(arguments.joined(separator: " ")): status \(status)")
        }
        return String(decoding: try directory.read("output"), as: UTF8.self)
    }

    /// Starts it with an empty standard input; both outputs go into a file.
    static func start(_ arguments: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words = arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var environment = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { environment.forEach { free($0) } }
        var process: pid_t = 0
        let error = posix_spawn(&process, arguments[0], &actions, nil, &words, &environment)
        guard error == 0 else { throw TestSupportError("\(arguments[0]): error \(error)") }
        return process
    }
}
