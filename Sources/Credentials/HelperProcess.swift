import Glibc
import Limits
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

    static let timeout = Limit.helperAnswering
    static let maximumOutputBytes = Limit.helperAnswer

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
        var child = try HostProcess(
            path, [program] + arguments, environment: environment,
            input: .descriptor(request.reading.raw), output: .descriptor(answer.writing.raw))
        let reading = try answer.reading.duplicate()
        _ = consume answer
        try write(input, to: consume request)
        let deadline = ContinuousClock.now + timeout
        let output = try read(reading, child, until: deadline)
        while true {
            if let status = child.exitStatus() { return Result(status: status, output: output) }
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
        _ reading: borrowing OwnedDescriptor, _ child: borrowing HostProcess,
        until deadline: ContinuousClock.Instant
    ) throws -> [UInt8] {
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            try check(deadline)
            let hasEnded = child.hasEnded
            var poll = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, hasEnded ? 0 : 20)
            if ready == 0 && hasEnded { return output }
            if ready <= 0 { continue }
            let count = try chunk.withUnsafeMutableBytes { try reading.borrowed.readOnce(into: $0) }
            if count == 0 { return output }
            output += chunk[..<count]
            if output.count > Self.maximumOutputBytes {
                throw CredentialError(program, .helperAnswer)
            }
        }
    }
}
