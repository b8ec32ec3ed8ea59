import Build
import Linux
import Synchronization
import SystemPackage

/// Shows what happens on standard error. Takes events from many threads.
final class Progress: Sendable {
    /// One of the three views is there.
    private struct State: Sendable {
        var quiet: FailedOutput?
        var plain: PlainLog?
        var live: LiveView?
        var isClosed = false
    }

    private let state: Mutex<State>
    private let started: Double
    private let isQuiet: Bool

    init(_ options: ProgressOptions) {
        started = monotonicSeconds()
        isQuiet = options.style == .quiet
        let isLive = options.style == .auto && Terminal.isCapable(environment: Environment.current)
        var first = State()
        if isQuiet {
            first.quiet = FailedOutput()
        } else if isLive {
            first.live = LiveView(started: started, keepsOutput: options.isVerbose)
        } else {
            first.plain = PlainLog(isVerbose: options.isVerbose)
        }
        state = Mutex(first)
        if isLive { keepDrawing() }
    }

    /// Where the engine's events go.
    var observer: BuildObserver { { self.take($0) } }

    /// Says what came of the build, and shows nothing afterwards.
    func finish(_ result: BuildResult) {
        close()
        if !isQuiet { Output.errorLine(result.summary(seconds: monotonicSeconds() - started)) }
    }

    /// Shows nothing from here on; closing twice is no error.
    func close() {
        state.withLock { state in
            if state.isClosed { return }
            state.isClosed = true
            if var live = state.live { Output.error(live.close(size: Terminal.size)) }
        }
    }

    private func take(_ event: BuildEvent) {
        state.withLock { state in
            if state.isClosed { return }
            let now = monotonicSeconds()
            // Written under the lock, so that lines of two steps don't run into each other.
            let lines =
                state.plain?.lines(for: event, at: now) ?? state.quiet?.lines(for: event) ?? []
            if !lines.isEmpty { Output.errorLine(lines.joined(separator: "\n")) }
            state.live?.take(event, at: now)
            draw(&state, at: now)
        }
    }

    private func draw(_ state: inout State, at now: Double) {
        if let text = state.live?.draw(at: now, size: Terminal.size) { Output.error(text) }
    }

    /// Draws also while nothing happens: times go on, and the terminal may have another size.
    private func keepDrawing() {
        Task.detached { [weak self] in
            while self?.tick() == true {
                try? await Task.sleep(for: .seconds(LiveView.interval))
            }
        }
    }

    /// False when the display has ended.
    private func tick() -> Bool {
        state.withLock { state in
            if !state.isClosed { draw(&state, at: monotonicSeconds()) }
            return !state.isClosed
        }
    }
}
