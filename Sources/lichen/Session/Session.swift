import ArgumentParser
import Build
import Dispatch
import Linux
import Synchronization

/// One run of an asynchronous job from our synchronous main, with its signals and its errors.
final class Session: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var signal: CInt?
        var failure: ErrorReport?
    }

    private let state = Mutex(State())
    private let report: @Sendable (ErrorReport) -> Void

    private init(report: @escaping @Sendable (ErrorReport) -> Void) { self.report = report }

    /// Runs `job` to its end. The first SIGINT, SIGTERM or SIGHUP cancels it; a second one ends the process at once.
    ///
    /// - Parameters:
    ///   - report: says why the job failed.
    ///   - cleanUp: runs after the job and before anything of its outcome is said.
    /// - Throws: `ExitCode` after the error was reported. A job that a signal ended doesn't come back: the process dies by
    ///   that signal, so that a shell sees it.
    static func run(
        _ job: @escaping @Sendable () async throws -> Void,
        report: @escaping @Sendable (ErrorReport) -> Void = { Output.errorLine($0.text) },
        cleanUp: @Sendable () -> Void = {}
    ) throws {
        let session = Session(report: report)
        try? Signals.catch { session.interrupted(by: $0) }
        session.perform(job)
        cleanUp()
        try session.conclude()
    }

    /// Reports an error that came before there was a job; what to throw on.
    static func failure(_ error: BuildError) -> any Error {
        do { try run { throw error } } catch { return error }
        return ExitCode.failure
    }

    private func perform(_ job: @escaping @Sendable () async throws -> Void) {
        let done = DispatchSemaphore(value: 0)
        let task = Task {
            do { try await job() } catch {
                let report = ErrorReport(error)
                state.withLock { $0.failure = report }
            }
            done.signal()
        }
        let isLate = state.withLock { state in
            state.task = task
            return state.signal != nil
        }
        if isLate { task.cancel() }
        done.wait()
    }

    private func interrupted(by signal: CInt) {
        let (isSecond, task) = state.withLock { state in
            defer { state.signal = state.signal ?? signal }
            return (state.signal != nil, state.task)
        }
        if isSecond { Signals.die(by: signal) }
        task?.cancel()
        // What blocks (a large file being hashed or packed) does not hear of it. Nothing is lost by dying: files get their names
        // when they are whole, and the worker dies with us.
        startThread { [report] in
            pause(seconds: Self.patienceSeconds)
            report(ErrorReport(signal: signal))
            Signals.die(by: signal)
        }
    }

    /// How long an interrupted job may clean up.
    private static let patienceSeconds = 1.5

    private func conclude() throws {
        let (failure, signal) = state.withLock { ($0.failure, $0.signal) }
        guard let failure else { return }
        if let signal {
            report(ErrorReport(signal: signal))
            Signals.die(by: signal)
        }
        report(failure)
        throw ExitCode(failure.status)
    }
}
