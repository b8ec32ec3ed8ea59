import Glibc
import Linux
import SystemPackage

/// Another program that is asked one thing, with limits on its time and its words.
///
/// It gets a session of its own, so that it can ask nothing on our terminal and is ended with all that it started; no descriptor
/// but its standard ones; and its standard error goes nowhere, because nobody knows what it would say there.
struct HelperProcess {
    struct Result: Sendable {
        var status: ExitStatus
        var output: [UInt8]
    }

    static let timeout: Duration = .seconds(30)
    static let maximumOutputBytes = 64 << 10

    let program: String
    let environment: [String: String]
    var timeout = Self.timeout

    /// Runs it to its end on a thread that may block.
    func run(_ arguments: [String], input: [UInt8]) async throws(CredentialError) -> Result {
        guard let path = Self.find(program, along: environment["PATH"] ?? "") else {
            throw CredentialError(program, .helperNotFound)
        }
        do {
            return try await blocking { try self.perform(path, arguments, input) }
        } catch let error as CredentialError {
            throw error
        } catch let error as Errno {
            throw CredentialError(program, .system(operation: "run", error))
        } catch {
            throw CredentialError(program, .cancelled)
        }
    }

    /// The program's absolute path. Directories that are relative, or that everybody may write to, are passed over.
    static func find(_ program: String, along path: String) -> String? {
        path.split(separator: ":").lazy.filter { $0.hasPrefix("/") && isTrusted(String($0)) }
            .map { "\($0)/\(program)" }
            .first { access($0, X_OK) == 0 }
    }

    private static func isTrusted(_ directory: String) -> Bool {
        // What cannot be looked at has nothing to execute, either.
        guard
            let opened = try? FileDescriptor.workingDirectory.open(
                directory, [.pathOnly, .directory], resolve: .system),
            let status = try? opened.borrowed.status()
        else { return false }
        return status.permissions & 0o002 == 0
    }

    private func perform(_ path: String, _ arguments: [String], _ input: [UInt8]) throws -> Result {
        ignoreBrokenPipes()
        let request = try Pipe(), answer = try Pipe()
        let child = try spawn(path, arguments, request, answer)
        var reaped = false
        defer {
            if !reaped {
                kill(-child, SIGKILL)
                kill(child, SIGKILL)
                waitpid(child, nil, 0)
            }
        }
        let reading = try answer.reading.duplicate()
        _ = consume answer
        try write(input, to: consume request)
        let deadline = ContinuousClock.now + timeout
        let output = try read(reading, child, until: deadline)
        while true {
            var status: CInt = 0
            if waitpid(child, &status, WNOHANG) == child {
                reaped = true
                return Result(status: ExitStatus(waitStatus: status), output: output)
            }
            try check(deadline)
            usleep(2000)
        }
    }

    /// A helper that does not read what it is asked must not end us. The mask is this thread's, which ends with `run`.
    private func ignoreBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private func write(_ input: [UInt8], to pipe: consuming Pipe) throws {
        do throws(Errno) {
            try pipe.writing.borrowed.writeFully(input)
        } catch {
            // It ended without reading: its answer says why.
            if error != .brokenPipe { throw error }
        }
    }

    private func check(_ deadline: ContinuousClock.Instant) throws(CredentialError) {
        if ContinuousClock.now > deadline {
            throw CredentialError(
                program, .helperTimedOut(seconds: Int(timeout.components.seconds)))
        }
    }

    /// Reads to the end of its output, or of the process: something that it left behind may hold the pipe open.
    private func read(
        _ reading: borrowing OwnedDescriptor, _ child: pid_t,
        until deadline: ContinuousClock.Instant
    ) throws -> [UInt8] {
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            try check(deadline)
            var hasEnded = siginfo_t()
            waitid(P_PID, id_t(child), &hasEnded, WEXITED | WNOHANG | WNOWAIT)
            var poll = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, hasEnded.si_signo == 0 ? 20 : 0)
            if ready == 0 && hasEnded.si_signo != 0 { return output }
            if ready <= 0 { continue }
            let count = try chunk.withUnsafeMutableBytes { try reading.borrowed.readOnce(into: $0) }
            if count == 0 { return output }
            output += chunk[..<count]
            if output.count > Self.maximumOutputBytes {
                throw CredentialError(program, .helperAnswer)
            }
        }
    }

    private func spawn(
        _ path: String, _ arguments: [String], _ request: borrowing Pipe, _ answer: borrowing Pipe
    ) throws(Errno) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, request.reading.raw, 0)
        posix_spawn_file_actions_adddup2(&actions, answer.writing.raw, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        try closeDescriptors(from: 3, in: &actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | Self.newSession))
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, path, &actions, &attributes, &words, &variables)
        if error != 0 { throw Errno(rawValue: error) }
        return child
    }

    /// POSIX_SPAWN_SETSID of spawn.h, which Swift does not see.
    private static let newSession: CInt = 0x80
}
