import CShims
import Glibc
public import SystemPackage

/// Another program of the host that works for us: git, a credential helper.
///
/// It gets a session of its own, so that it can ask nothing on our terminal and is ended with all that it started; each signal as
/// it is by default; no descriptor but its three streams; no environment but the one given. It lives no longer than this value.
public struct HostProcess: ~Copyable {
    /// Where one of its three streams leads.
    public enum Stream {
        /// `/dev/null`
        case nothing
        /// Somebody else's, open for as long as `init` runs.
        case descriptor(CInt)
        /// An absolute path of a file that is made anew, for its owner alone.
        case newFile(String)
    }

    private let pid: pid_t
    private var status: ExitStatus?

    /// Starts the program at the absolute path; the first of `words` is its name.
    public init(
        _ path: String, _ words: [String], environment: [String: String],
        input: Stream = .nothing, output: Stream = .nothing, errors: Stream = .nothing
    ) throws(Errno) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        input.add(to: &actions, as: 0)
        output.add(to: &actions, as: 1)
        errors.add(to: &actions, as: 2)
        let closing = sbx_spawn_close_from(&actions, 3)
        if closing != 0 { throw Errno(rawValue: closing) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        Self.setSessionAndSignals(&attributes)

        var pid: pid_t = 0
        let variables = environment.map { "\($0.key)=\($0.value)" }
        let error = withCStringArrays(words, variables) { words, variables in
            posix_spawn(
                &pid, path, &actions, &attributes, UnsafeMutablePointer(mutating: words.cast()),
                UnsafeMutablePointer(mutating: variables.cast()))
        }
        if error != 0 { throw Errno(rawValue: error) }
        self.pid = pid
    }

    /// It and what it started end now, if they haven't.
    deinit {
        if status != nil { return }
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Whether it has ended; says so for good, and waits for nothing.
    public var hasEnded: Bool {
        if status != nil { return true }
        var information = siginfo_t()
        waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
        return information.si_signo != 0
    }

    /// How it ended; nil while it runs.
    public mutating func exitStatus() -> ExitStatus? {
        if let status { return status }
        var ended: CInt = 0
        if waitpid(pid, &ended, WNOHANG) == pid { status = ExitStatus(waitStatus: ended) }
        return status
    }

    private static func setSessionAndSignals(_ attributes: inout posix_spawnattr_t) {
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession))
    }

    /// POSIX_SPAWN_SETSID of spawn.h, which Swift does not see.
    private static let newSession: CInt = 0x80
}

extension HostProcess.Stream {
    fileprivate func add(to actions: inout posix_spawn_file_actions_t, as number: CInt) {
        switch self {
        case .nothing:
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        case .descriptor(let descriptor):
            posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        case .newFile(let path):
            let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
            posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
        }
    }
}
