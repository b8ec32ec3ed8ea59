import Build

/// Rows and columns of a terminal.
struct TerminalSize: Equatable, Sendable {
    var rows: Int
    var columns: Int
}

/// The part of the display that changes: what runs now, each line short enough for the terminal.
struct TerminalFrame {
    /// Last lines of output under each step.
    static let tailLines = 4
    /// A step's output is shown when it has run for this long: quick ones would only flicker.
    static let tailDelay = 0.5

    private let board: BoardState
    private let size: TerminalSize
    private let now: Double
    private let started: Double

    /// - Parameters:
    ///   - now: on the clock of the board's events.
    ///   - started: when the build began, on the same clock.
    init(_ board: BoardState, size: TerminalSize, now: Double, started: Double) {
        self.board = board
        self.size = size
        self.now = now
        self.started = started
    }

    /// At most one less than the terminal has rows, and each narrower than it: nothing wraps or scrolls.
    var lines: [String] {
        let room = max(size.rows - 1, 1)
        let blocks = board.steps.map(stepLines) + board.transfers.map { [transferLine($0)] }
        let fitting = [heading] + fit(blocks, room - 1)
        return fitting.map { TextWidth.fit($0, size.columns - 1) }
    }

    /// The blocks in at most `room` lines: their output gives way first, then the last of them.
    private func fit(_ blocks: [[String]], _ room: Int) -> [String] {
        for tail in stride(from: Self.tailLines, through: 0, by: -1) {
            let lines = blocks.flatMap { [$0[0]] + $0.dropFirst().suffix(tail) }
            if lines.count <= room { return lines }
        }
        if room < 1 { return [] }
        let shown = blocks.prefix(room - 1).map { $0[0] }
        return shown + ["… and \(blocks.count - shown.count) more"]
    }

    private var heading: String {
        let cached = board.cachedCount > 0 ? ", \(board.cachedCount) cached" : ""
        let steps = board.total > 0 ? "\(board.doneCount) of \(board.total) steps" : "starting"
        return "lichen: \(steps)\(cached), \(Elapsed.text(now - started))"
    }

    private func stepLines(_ running: BoardState.RunningStep) -> [String] {
        let elapsed = now - running.started
        let time = Elapsed.text(elapsed)
        let width = size.columns - 1 - TextWidth.columns(time) - 2
        let title = TextWidth.fit("\(running.step.mark) \(running.step.title)", max(width, 8))
        let tail = elapsed < Self.tailDelay ? [] : running.lastLines(Self.tailLines)
        return ["\(title)  \(time)"] + tail.map { "   │ \($0)" }
    }

    private func transferLine(_ running: BoardState.RunningTransfer) -> String {
        let transfer = running.transfer
        let share = transfer.size > 0 ? Double(running.bytes) / Double(transfer.size) : 0
        let amounts = "\(ByteCount.text(running.bytes)) of \(ByteCount.text(transfer.size))"
        let filled = min(max(Int(share * 20), 0), 20)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        // On a narrow terminal the numbers are worth more than the bar.
        return size.columns < 80
            ? "\(transfer.title)  \(amounts)" : "\(transfer.title)  \(bar)  \(amounts)"
    }
}
