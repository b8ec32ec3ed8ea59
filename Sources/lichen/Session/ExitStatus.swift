import ArgumentParser
import Linux

/// The exit statuses that a script may rely on; docs/cli.md says the same to users.
enum ExitStatus: Int32 {
    case done = 0
    /// An instruction failed, or a check found something.
    case failed = 1
    /// An instruction failed after the policy had refused it a call.
    case refusedByPolicy = 3
    case usage = 64
    /// Dockerfile, context or policy is wrong.
    case input = 65
    case network = 69
    case bug = 70
    /// This host can't.
    case host = 71
    /// Disk full, store or output not writable.
    case storage = 74
    case interrupted = 130

    func end() -> Never { endProcess(rawValue) }
}
