/// Turns frames into what a terminal must be sent so that the last frame is replaced by the next.
///
/// The cursor always rests below the frame, so that whatever ends the process leaves the terminal as it should be.
struct TerminalScreen: Sendable {
    private var drawn: [String] = []

    /// Removes the frame that is there, writes `permanent` lines for good, and draws the next frame under them.
    mutating func update(
        permanent: [String], frame: [String], size: TerminalSize
    ) -> String {
        var result = erase(size)
        for line in permanent { result += line + "\n" }
        for line in frame { result += line + "\n" }
        drawn = frame
        return result
    }

    /// Up to the frame's first row and clear from there. A terminal that became narrower has broken the lines anew.
    private func erase(_ size: TerminalSize) -> String {
        let columns = max(size.columns, 1)
        let rows = drawn.reduce(0) { rows, line in
            rows + max(1, (TextWidth.columns(line) + columns - 1) / columns)
        }
        if rows == 0 { return "" }
        // What has scrolled out can't be reached.
        return "\r\u{1B}[\(min(rows, max(size.rows - 1, 1)))A\u{1B}[J"
    }
}
