import Build

/// Progress on a terminal: lines that stay, and below them what runs now.
struct LiveView: Sendable {
    /// Seconds between two frames.
    static let interval = 0.1

    private var board = BoardState()
    private var screen: TerminalScreen
    private var waiting: [DisplayLine] = []
    private var lastDraw = -Double.infinity
    private let started: Double

    /// - Parameters:
    ///   - started: when the build began, on the clock of the events.
    ///   - keepsOutput: the output of each step stays, too.
    init(started: Double, keepsOutput: Bool = false, palette: Palette = .plain) {
        self.started = started
        screen = TerminalScreen(palette: palette)
        board.keepsOutput = keepsOutput
    }

    mutating func take(_ event: BuildEvent, at now: Double) {
        waiting += board.take(event, at: now)
    }

    /// What to send to the terminal now; nil where it is too early for another frame.
    ///
    /// - Parameter isForeground: whether the terminal is ours. In the background only the lines that stay are written: what
    ///   the user types there meanwhile is not drawn over.
    mutating func draw(at now: Double, size: TerminalSize, isForeground: Bool = true) -> String? {
        guard now - lastDraw >= Self.interval else { return nil }
        lastDraw = now
        if !isForeground {
            screen.forget()
            return update(frame: [], size: size)
        }
        return update(
            frame: TerminalFrame(board, size: size, now: now, started: started).lines, size: size)
    }

    /// Takes the frame away and leaves the lines that stay.
    mutating func close(size: TerminalSize) -> String {
        waiting += board.close()
        return update(frame: [], size: size)
    }

    private mutating func update(frame: [DisplayLine], size: TerminalSize) -> String {
        defer { waiting = [] }
        return screen.update(permanent: waiting, frame: frame, size: size)
    }
}
