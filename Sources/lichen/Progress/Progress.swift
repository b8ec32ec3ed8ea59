import Build
import Glibc
import Linux
import OCI
import Synchronization

/// Shows what happens on standard error. Takes events from many threads.
final class Progress: Sendable {
    /// One of the four views.
    fileprivate enum View: Sendable {
        case quiet(FailedOutput)
        case plain(PlainLog)
        case json(JSONLog)
        case live(LiveView)
    }

    private struct State: Sendable {
        var view: View
        var moved = MovedBytes()
        var isClosed = false
    }

    private let state: Mutex<State>
    private let started: Double

    /// - Parameter command: its name, for the machines that read.
    init(_ options: ProgressOptions, command: String) {
        started = monotonicSeconds()
        let environment = processEnvironment()
        switch options.style {
        case .quiet: state = Mutex(State(view: .quiet(FailedOutput())))
        case .rawjson:
            let log = JSONLog(started: started)
            state = Mutex(State(view: .json(log)))
            Output.errorLine(log.begin(command, date: Int64(time(nil))))
        case .auto where Terminal.isCapable(environment: environment):
            let view = LiveView(
                started: started, keepsOutput: options.isVerbose,
                palette: Palette(environment: environment))
            state = Mutex(State(view: .live(view)))
            keepDrawing()
        case .auto, .plain:
            state = Mutex(State(view: .plain(PlainLog(isVerbose: options.isVerbose))))
        }
    }

    /// Where the engine's events go.
    var observer: BuildObserver { { self.take($0) } }

    /// Says what came of a build, and shows nothing afterwards.
    func finish(_ result: BuildResult) { finish(Summary(result)) }

    /// Says what was moved for an image, and shows nothing afterwards.
    func finish(_ image: Descriptor) {
        var summary = Summary(image.digest)
        let moved = state.withLock { $0.moved }
        (summary.downloadedBytes, summary.uploadedBytes) = (moved.down, moved.up)
        summary.memoryBytes = PeakMemory.bytes()
        finish(summary)
    }

    private func finish(_ summary: Summary) {
        close()
        let now = monotonicSeconds()
        var summary = summary
        summary.seconds = now - started
        switch state.withLock({ $0.view }) {
        case .quiet: break
        case .json(let log): Output.errorLine(log.end(summary, at: now))
        case .plain, .live: Output.errorLine(summary.text)
        }
    }

    /// Says why there is no image, and shows nothing afterwards.
    func fail(_ error: ErrorReport) {
        close()
        switch state.withLock({ $0.view }) {
        case .json(let log): Output.errorLine(log.end(error, at: monotonicSeconds()))
        case .quiet, .plain, .live: Output.errorLine(error.text)
        }
    }

    /// Shows nothing from here on; closing twice is no error.
    func close() {
        state.withLock { state in
            if state.isClosed { return }
            state.isClosed = true
            if case .live(var live) = state.view { Output.error(live.close(size: Terminal.size)) }
        }
    }

    /// What is written here is written under the lock, so that lines of two steps don't run into each other.
    private func take(_ event: BuildEvent) {
        state.withLock { state in
            if state.isClosed { return }
            let now = monotonicSeconds()
            state.moved.take(event)
            let lines = state.view.take(event, at: now)
            if !lines.isEmpty { Output.errorLine(lines.joined(separator: "\n")) }
            draw(&state, at: now)
        }
    }

    private func draw(_ state: inout State, at now: Double) {
        guard case .live(var live) = state.view else { return }
        let text = live.draw(at: now, size: Terminal.size, isForeground: Terminal.isOurs)
        state.view = .live(live)
        if let text, !text.isEmpty { Output.error(text) }
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

extension Progress.View {
    /// Takes an event; the lines to write at once.
    fileprivate mutating func take(_ event: BuildEvent, at now: Double) -> [String] {
        switch self {
        case .quiet(var quiet):
            defer { self = .quiet(quiet) }
            return quiet.lines(for: event)
        case .plain(var plain):
            defer { self = .plain(plain) }
            return plain.lines(for: event, at: now)
        case .json(var json):
            defer { self = .json(json) }
            return json.lines(for: event, at: now)
        case .live(var live):
            defer { self = .live(live) }
            live.take(event, at: now)
            return []
        }
    }
}
