/// A line of the live display: harmless text, and how it looks.
struct DisplayLine: Equatable, Sendable {
    enum Style: Sendable {
        case normal
        /// Of lesser weight: what was cached, what a step writes.
        case dim
        case heading
        case warning
        case failure
    }

    /// What the line says, and its end, which stays when the rest is cut.
    private var head: String
    private var ending: String
    var style: Style
    /// Longer than the terminal is wide, it goes on in the next row: what is cut is lost.
    var isWhole: Bool

    init(_ text: String, ending: String = "", _ style: Style = .normal, isWhole: Bool = false) {
        head = text
        self.ending = ending
        self.style = style
        self.isWhole = isWhole
    }

    var text: String { head + ending }

    /// Cut to `columns`.
    func fit(_ columns: Int) -> DisplayLine {
        let room = columns - TextWidth.columns(ending)
        if room < Margin.width { return DisplayLine(TextWidth.fit(text, columns), style) }
        return DisplayLine(TextWidth.fit(head, room) + ending, style)
    }
}

/// What styles look like on the terminal.
struct Palette: Sendable {
    /// Without it no line has a look of its own.
    var isColored: Bool

    /// As NO_COLOR says; https://no-color.org.
    init(environment: [String: String]) {
        isColored = (environment["NO_COLOR"] ?? "").isEmpty
    }

    static let plain = Palette(environment: ["NO_COLOR": "1"])

    func text(_ line: DisplayLine) -> String {
        guard isColored, let code = Self.code(line.style), !line.text.isEmpty else {
            return line.text
        }
        return "\u{1B}[\(code)m\(line.text)\u{1B}[0m"
    }

    /// ECMA-48, "Select Graphic Rendition". Of the colours only those that are readable on light and dark.
    private static func code(_ style: DisplayLine.Style) -> String? {
        switch style {
        case .normal: nil
        case .dim: "2"
        case .heading: "1"
        case .warning: "33"
        case .failure: "31"
        }
    }
}

/// The left column of the display: a time or a word, so that what is said about each stands below each other.
enum Margin {
    static let width = 7

    static func line(_ word: String, _ text: String) -> String {
        "\(String(repeating: " ", count: max(width - word.count, 0)))\(word)  \(text)"
    }

    /// Of a step's output.
    static func output(_ word: String, _ text: String) -> String {
        line(word, "│ \(TextWidth.expandingTabs(text))")
    }
}
