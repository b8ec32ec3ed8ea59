import Build

/// Progress on a terminal: lines that stay, and below them what runs now.
struct LiveView: Sendable {
    /// Seconds between two frames.
    static let interval = 0.1

    private var board = BoardState()
    private var screen = TerminalScreen()
    private var waiting: [String] = []
    private var lastDraw = -Double.infinity
    private let started: Double

    /// - Parameters:
    ///   - started: when the build began, on the clock of the events.
    ///   - keepsOutput: the output of each step stays, too.
    init(started: Double, keepsOutput: Bool = false) {
        self.started = started
        board.keepsOutput = keepsOutput
    }

    mutating func take(_ event: BuildEvent, at now: Double) {
        waiting += board.take(event, at: now)
    }

    /// What to send to the terminal now; nil where it is too early for another frame.
    mutating func draw(at now: Double, size: TerminalSize) -> String? {
        guard now - lastDraw >= Self.interval else { return nil }
        lastDraw = now
        let frame = TerminalFrame(board, size: size, now: now, started: started).lines
        return update(frame: frame, size: size)
    }

    /// Takes the frame away and leaves the lines that stay.
    mutating func close(size: TerminalSize) -> String { update(frame: [], size: size) }

    private mutating func update(frame: [String], size: TerminalSize) -> String {
        defer { waiting = [] }
        return screen.update(
            // They may be longer than the terminal is wide: it breaks them, and they are not drawn over.
            permanent: waiting, frame: frame, size: size)
    }
}
