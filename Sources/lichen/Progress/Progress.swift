import Build
import Linux
import Synchronization
import SystemPackage

/// Shows what happens on standard error. Takes events from many threads.
final class Progress: Sendable {
    private enum View: Sendable {
        case quiet(FailedOutput)
        case plain(PlainLog)
    }

    private struct State: Sendable {
        var view: View
        var isClosed = false
    }

    private let state: Mutex<State>
    private let started = monotonicSeconds()

    init(_ options: ProgressOptions) {
        let view: View =
            options.style == .quiet
            ? .quiet(FailedOutput()) : .plain(PlainLog(isVerbose: options.isVerbose))
        state = Mutex(State(view: view))
    }

    /// Where the engine's events go.
    var observer: BuildObserver { { self.take($0) } }

    /// Says what came of the build, and shows nothing afterwards.
    func finish(_ result: BuildResult) {
        close()
        let seconds = monotonicSeconds() - started
        state.withLock { state in
            if case .quiet = state.view { return }
            Output.errorLine(result.summary(seconds: seconds))
        }
    }

    /// Shows nothing from here on; closing twice is no error.
    func close() { state.withLock { $0.isClosed = true } }

    private func take(_ event: BuildEvent) {
        state.withLock { state in
            if state.isClosed { return }
            let lines: [String]
            switch state.view {
            case .plain(var log):
                lines = log.lines(for: event, at: monotonicSeconds())
                state.view = .plain(log)
            case .quiet(var failed):
                lines = failed.lines(for: event)
                state.view = .quiet(failed)
            }
            if lines.isEmpty { return }
            // Written under the lock, so that lines of two steps don't run into each other.
            Output.errorLine(lines.joined(separator: "\n"))
        }
    }
}
