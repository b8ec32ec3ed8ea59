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
    fileprivate static func start(_ arguments: [String], output: String) throws -> pid_t {
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

/// Another program that runs as long as this value lives.
public final class RunningProgram: Sendable {
    private let process: pid_t
    private let directory: TemporaryDirectory

    public init(_ arguments: [String]) throws {
        directory = try TemporaryDirectory()
        process = try Program.start(arguments, output: directory.path("output"))
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    private var isAlive: Bool {
        var info = siginfo_t()
        let answer = waitid(P_PID, id_t(process), &info, WEXITED | WNOHANG | WNOWAIT)
        return answer == 0 && info._sifields._kill.si_pid == 0
    }

    /// What it wrote so far, to both of its outputs.
    public var output: String {
        // Until it writes, there may be no file.
        String(decoding: (try? directory.read("output")) ?? [], as: UTF8.self)
    }

    /// Waits until it has written `marker`, and gives the number that follows: a port, mostly.
    public func number(after marker: String) throws -> Int {
        let end = ContinuousClock.now + Command.patience
        while isAlive, ContinuousClock.now < end {
            let output = output
            if let found = output.firstRange(of: marker) {
                let rest = output[found.upperBound...]
                let digits = rest.prefix { $0.isNumber }
                // A line that is written half has no end yet.
                if digits.endIndex != rest.endIndex, let number = Int(digits) { return number }
            }
            usleep(10_000)
        }
        throw TestSupportError("no \"\(marker)\" in: \(output)")
    }
}
