import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// Another program, run to its end with a time limit; what it wrote is kept apart.
public struct Command: Sendable {
    public var arguments: [String]
    public var environment: [String: String] = [:]
    public var directory: String?
    public var input: String?
    /// After this it is killed, with all of its process group. Only what hangs comes to it, on whatever machine.
    public var limit = Self.patience

    /// Much longer than anything here takes where nobody else works.
    public static let patience = Duration.seconds(900)

    public init(_ arguments: [String]) { self.arguments = arguments }

    /// How it ended.
    public struct Outcome: Sendable, CustomStringConvertible {
        public var arguments: [String]
        /// Its exit status; nil where a signal ended it.
        public var status: Int32?
        public var signal: Int32?
        public var output: [UInt8]
        public var error: String
        public var duration: Duration
        /// How long it and all that it waited for had a processor: other programs don't count.
        public var processorTime: Duration

        public var text: String { String(decoding: output, as: UTF8.self) }
        public var isSuccess: Bool { status == 0 }
        public var description: String {
            let end = status.map { "status \($0)" } ?? "signal \(signal ?? 0)"
            return "\(arguments.joined(separator: " ")): \(end)\n\(text)\(error)"
        }

        /// This, if it went well; else an error that shows everything.
        @discardableResult
        public func required() throws -> Outcome {
            if isSuccess { return self }
            throw TestSupportError(description)
        }
    }

    /// Runs it; the calling thread waits.
    @discardableResult
    public func run() throws -> Outcome { try start().finish(within: limit) }

    public func start() throws -> Running { try Running(self) }

    /// A program that was started; at the end of the value's life it is killed.
    public final class Running: Sendable {
        public let process: pid_t
        private let command: Command
        private let files: TemporaryDirectory
        private let started = ContinuousClock.now
        private let reaped = Mutex(false)

        fileprivate init(_ command: Command) throws {
            self.command = command
            files = try TemporaryDirectory()
            process = try Self.spawn(command, files)
        }

        deinit {
            guard !reaped.withLock({ $0 }) else { return }
            killpg(process, SIGKILL)
            waitpid(process, nil, 0)
        }

        public var age: Duration { .now - started }

        /// Whether it still runs; one that ended stays to be waited for.
        public var isAlive: Bool {
            var info = siginfo_t()
            let answer = waitid(P_PID, id_t(process), &info, WEXITED | WNOHANG | WNOWAIT)
            return answer == 0 && info._sifields._kill.si_pid == 0
        }

        /// What it wrote to its standard error so far.
        public var error: String {
            String(decoding: (try? files.read("error")) ?? [], as: UTF8.self)
        }

        public func send(_ signal: CInt) { kill(process, signal) }

        /// Waits until standard error holds `text`.
        public func awaitError(_ text: String, within limit: Duration = patience) throws {
            let end = ContinuousClock.now + limit
            while !error.contains(text) {
                if !isAlive || ContinuousClock.now > end {
                    throw TestSupportError("no \"\(text)\" in: \(error)")
                }
                usleep(10_000)
            }
        }

        /// Waits for its end.
        public func finish(within limit: Duration = patience) throws -> Outcome {
            let end = ContinuousClock.now + limit
            while isAlive, ContinuousClock.now < end { usleep(2000) }
            let duration = age
            let isLate = isAlive
            if isLate { killpg(process, SIGKILL) }
            var status: CInt = 0
            var usage = rusage()
            wait4(process, &status, 0, &usage)
            reaped.withLock { $0 = true }
            let signal = status & 0x7f
            let outcome = Outcome(
                arguments: command.arguments, status: signal == 0 ? (status >> 8) & 0xff : nil,
                signal: signal == 0 ? nil : signal, output: try files.read("output"),
                error: error, duration: duration,
                processorTime: Self.time(usage.ru_utime) + Self.time(usage.ru_stime))
            if isLate { throw TestSupportError("not done in \(limit): \(outcome)") }
            return outcome
        }

        private static func time(_ time: timeval) -> Duration {
            .seconds(time.tv_sec) + .microseconds(time.tv_usec)
        }

        private static func spawn(_ command: Command, _ files: TemporaryDirectory) throws -> pid_t {
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            let flags = O_WRONLY | O_CREAT | O_TRUNC
            let (output, error) = (files.path("output"), files.path("error"))
            posix_spawn_file_actions_addopen(
                &actions, 0, command.input ?? "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
            posix_spawn_file_actions_addopen(&actions, 2, error, flags, 0o600)
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            // A test runs on a thread that blocks signals; the program is to begin as one that a shell starts.
            var none = sigset_t()
            sigemptyset(&none)
            posix_spawnattr_setsigmask(&attributes, &none)
            // What was started in the background, or by nohup, has some of these ignored, and would hand that on.
            var usual = sigset_t()
            sigemptyset(&usual)
            for signal in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM] { sigaddset(&usual, signal) }
            posix_spawnattr_setsigdefault(&attributes, &usual)
            posix_spawnattr_setflags(
                &attributes,
                Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
            let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            let values = ["PATH": path].merging(command.environment) { $1 }
            let arguments = (command.directory.map { ["env", "-C", $0] } ?? []) + command.arguments
            var words = arguments.map { strdup($0) } + [nil]
            var environment = values.map { strdup("\($0.key)=\($0.value)") } + [nil]
            defer { (words + environment).forEach { free($0) } }
            var process: pid_t = 0
            let answer = posix_spawnp(
                &process, arguments[0], &actions, &attributes, &words, &environment)
            guard answer == 0 else {
                throw TestSupportError("\(arguments[0]): error \(answer)")
            }
            return process
        }
    }
}

/// Runs `body` on a thread of its own while other tests go on: for what takes long and needs no processor.
public func aside<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
    -> Value
{
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}
