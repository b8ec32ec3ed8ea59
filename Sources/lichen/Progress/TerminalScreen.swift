/// Turns frames into what a terminal must be sent so that the last frame is replaced by the next.
///
/// The cursor is never hidden and always rests below the frame, so that whatever ends the process leaves the terminal as it
/// should be. Lines of a frame are written over those of the one before, not after clearing them: nothing flickers.
struct TerminalScreen: Sendable {
    /// The cursor's line to its end; ECMA-48, "Erase in Line".
    private static let eraseLine = "\u{1B}[K"
    /// The cursor's line and all below; ECMA-48, "Erase in Page". Not from the first column: in the first row tmux would take that
    /// for a cleared screen and keep what was there in its history.
    private static let eraseBelow = "\u{1B}[C\u{1B}[J\r\u{1B}[K"
    /// DECAWM: where a terminal makes a character wider than we think, it cuts the line instead of breaking it.
    private static let (noWrap, wrap) = ("\u{1B}[?7l", "\u{1B}[?7h")

    private let palette: Palette
    private var drawn: [DisplayLine] = []
    private var drawnSize: TerminalSize?

    init(palette: Palette = .plain) { self.palette = palette }

    /// Writes `permanent` lines for good where the frame is, and draws the next frame under them. Empty where all stays as it is.
    mutating func update(
        permanent: [DisplayLine], frame: [DisplayLine], size: TerminalSize
    ) -> String {
        if permanent.isEmpty && frame == drawn && size == drawnSize { return "" }
        defer { (drawn, drawnSize) = (frame, size) }
        var result = backToFirstRow(size)
        if !permanent.isEmpty || size != drawnSize { result += Self.eraseBelow }
        for line in permanent {
            // The terminal breaks what is longer, and it is not drawn over.
            let fitting = line.isWhole ? line : line.fit(max(size.columns - 1, 1))
            result += palette.text(fitting) + "\n"
        }
        if !frame.isEmpty {
            result += Self.noWrap
            for line in frame { result += palette.text(line) + Self.eraseLine + "\n" }
            result += Self.wrap
        }
        if frame.count < drawn.count { result += Self.eraseBelow }
        return result
    }

    /// Somebody else writes to the terminal: what was drawn is theirs now.
    mutating func forget() { (drawn, drawnSize) = ([], nil) }

    /// A terminal that became narrower has broken the lines anew.
    private func backToFirstRow(_ size: TerminalSize) -> String {
        let rows = drawn.reduce(0) { $0 + TextWidth.rows($1.text, columns: max(size.columns, 1)) }
        // What has scrolled out can't be reached.
        let reachable = min(rows, max(size.rows - 1, 0))
        let up = reachable > 0 ? "\r\u{1B}[\(reachable)A" : ""
        // The first row may go on with a line that has scrolled out.
        return reachable < rows ? up + Self.eraseBelow + "\n" : up
    }
}
