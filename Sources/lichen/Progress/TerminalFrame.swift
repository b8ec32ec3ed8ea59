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

    /// Fewer than the terminal has rows, and each narrower than it: nothing wraps or scrolls. Half of its rows are left where
    /// it has many, so that a frame that is broken anew in a smaller size can still be reached.
    var lines: [DisplayLine] {
        let room = max(min(size.rows - 1, max(size.rows / 2, 10)), 1)
        let blocks =
            board.packing.map { [DisplayLine(Margin.line("packing", $0.step.title), .dim)] }
            + board.steps.map(stepLines) + board.transfers.map { [transferLine($0)] }
        let fitting = [heading] + fit(blocks, room - 1)
        return fitting.map { $0.fit(size.columns - 1) }
    }

    /// The blocks in at most `room` lines: their output gives way first, then the last of them.
    private func fit(_ blocks: [[DisplayLine]], _ room: Int) -> [DisplayLine] {
        for tail in stride(from: Self.tailLines, through: 0, by: -1) {
            let lines = blocks.flatMap { [$0[0]] + $0.dropFirst().suffix(tail) }
            if lines.count <= room { return lines }
        }
        if room < 1 { return [] }
        let shown = blocks.prefix(room - 1).map { $0[0] }
        return shown + [
            DisplayLine(Margin.line("", "… and \(blocks.count - shown.count) more"), .dim)
        ]
    }

    private var heading: DisplayLine {
        let cached = board.cachedCount > 0 ? ", \(board.cachedCount) cached" : ""
        let steps =
            board.total > 0 ? "\(board.doneCount) of \(board.total) steps done" : "at work"
        return DisplayLine(Margin.line(Elapsed.text(now - started), "\(steps)\(cached)"), .heading)
    }

    private func stepLines(_ running: BoardState.RunningStep) -> [DisplayLine] {
        let elapsed = now - running.started
        let title = DisplayLine(Margin.line(Elapsed.text(elapsed), running.step.title))
        let tail = elapsed < Self.tailDelay ? [] : running.lastLines(Self.tailLines)
        return [title] + tail.map { DisplayLine(Margin.output("", $0), .dim) }
    }

    /// On a narrow terminal the digest gives way first, then the bar, then the rate: the amounts are worth most.
    private func transferLine(_ running: BoardState.RunningTransfer) -> DisplayLine {
        let transfer = running.transfer
        // What is sent again after a broken connection counts twice on the network, and once here.
        let bytes = min(running.bytes, transfer.size)
        let share = transfer.size > 0 ? Double(bytes) / Double(transfer.size) : 0
        let amounts = "\(ByteCount.text(bytes)) of \(ByteCount.text(transfer.size))"
        let rate = running.rate.bytesPerSecond(at: now).map { "\(ByteCount.text($0))/s" }
        let direction = transfer.direction.rawValue
        let choices = [
            [transfer.title, Self.bar(share, 20), amounts, rate],
            [direction, Self.bar(share, 20), amounts, rate],
            [direction, Self.bar(share, 10), amounts, rate], [direction, amounts, rate],
            [direction, amounts], [amounts],
        ]
        let lines = choices.map { words in
            let text = words.compactMap { $0 }.joined(separator: "  ")
            return Margin.line("\(Int(share * 100))%", text)
        }
        let fitting = lines.first { TextWidth.columns($0) < size.columns }
        return DisplayLine(fitting ?? lines[lines.count - 1])
    }

    private static func bar(_ share: Double, _ columns: Int) -> String {
        let filled = min(max(Int(share * Double(columns)), 0), columns)
        return String(repeating: "█", count: filled)
            + String(repeating: "░", count: columns - filled)
    }
}
