import Build
import Testing

@testable import lichen

/// Numbers that look random and are the same each time; xorshift64*, Vigna 2016.
private struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }

    mutating func below(_ end: Int) -> Int { Int.random(in: 0..<end, using: &self) }

    mutating func text(_ longest: Int) -> String {
        let parts = ["a", "Zz", "世", "e\u{301}", "🚀", "- ", "한", "…", "│"]
        return (0..<below(longest)).map { _ in parts[below(parts.count)] }.joined()
    }
}

/// What lines look like on a terminal: nobody sees blanks at their end.
private func seen(_ lines: [DisplayLine]) -> [String] {
    lines.map { line in String(line.text.reversed().drop { $0 == " " }.reversed()) }
}

@Suite struct `On a terminal` {
    /// Lines that stay, frames and sizes at random: on the terminal stand all lines that should stay, in order, then the
    /// last frame, and nothing else.
    @Test(arguments: 1...50) func `a frame is replaced by the next, whatever the size`(seed: Int) {
        var dice = Dice(seed)
        var terminal = VirtualTerminal(TerminalSize(rows: 24, columns: 80))
        var screen = TerminalScreen(palette: Palette(environment: [:]))
        var stay: [String] = []
        var frame: [DisplayLine] = []
        for _ in 0..<40 {
            if dice.below(4) == 0 {
                terminal.resize(
                    TerminalSize(rows: 2 + dice.below(40), columns: 4 + dice.below(120)))
            }
            let size = terminal.size
            let new = (0..<max(dice.below(6) - 2, 0)).map { _ in
                DisplayLine("line \(dice.text(80))", .dim, isWhole: dice.below(2) == 0)
            }
            let before = frame
            frame = (0..<dice.below(size.rows)).map { _ in
                DisplayLine(dice.text(60), .heading).fit(size.columns - 1)
            }
            let reachable = terminal.visible.count - 1
            terminal.receive(screen.update(permanent: new, frame: frame, size: size))
            #expect(terminal.isAtRest && terminal.faults.isEmpty, "\(terminal.faults)")
            let expected = seen(new.map { $0.isWhole ? $0 : $0.fit(size.columns - 1) })
            let lines = terminal.lines
            #expect(lines.suffix(new.count + frame.count) == (expected + seen(frame))[...])
            #expect(lines.starts(with: stay))
            if !Self.isLost(before, reachable, size) {
                #expect(lines == stay + expected + seen(frame))
            }
            stay = Array(lines.dropLast(frame.count))
        }
        terminal.receive(screen.update(permanent: [], frame: [], size: terminal.size))
        #expect(terminal.isAtRest)
    }

    /// Whether a part of the frame can't be reached any more.
    private static func isLost(_ frame: [DisplayLine], _ reachable: Int, _ size: TerminalSize)
        -> Bool
    {
        let rows = frame.reduce(0) { $0 + TextWidth.rows($1.text, columns: size.columns) }
        return rows > min(reachable, size.rows - 1)
    }

    /// Steps with whatever output and transfers at random, in a terminal that is high enough: when all is over, exactly what
    /// should stay is there.
    @Test(arguments: 1...16) func `no output of a step garbles what stays`(seed: Int) {
        var dice = Dice(seed)
        var terminal = VirtualTerminal(TerminalSize(rows: 60, columns: 100))
        let keepsOutput = seed % 2 == 0
        var view = LiveView(started: 0, keepsOutput: keepsOutput)
        var board = BoardState()
        board.keepsOutput = keepsOutput
        var (stay, waiting): ([String], [DisplayLine]) = ([], [])
        var running: [BuildEvent.Step] = []
        for number in 1...120 {
            let event = Self.event(number, &running, &dice)
            let time = Double(number) / 5
            waiting += board.take(event, at: time)
            view.take(event, at: time)
            if dice.below(10) == 0 {
                terminal.resize(
                    TerminalSize(rows: 50 + dice.below(20), columns: 60 + dice.below(60)))
            }
            terminal.receive(view.draw(at: time, size: terminal.size)!)
            let columns = terminal.size.columns
            stay += seen(waiting.map { $0.isWhole ? $0 : $0.fit(columns - 1) })
            waiting = []
            #expect(terminal.isAtRest && terminal.faults.isEmpty, "\(terminal.faults)")
            if number % 20 == 0 { #expect(terminal.lines.starts(with: stay)) }
            #expect(terminal.visible.count { $0.contains(" steps done") } == 1)
        }
        terminal.receive(view.close(size: terminal.size))
        let columns = terminal.size.columns - 1
        #expect(terminal.lines == stay + seen(board.close().map { $0.fit(columns) }))
    }

    /// At most three steps at once, numbered by when they began.
    private static func event(
        _ number: Int, _ running: inout [BuildEvent.Step], _ dice: inout Dice
    ) -> BuildEvent {
        let fresh = BuildEvent.Step(
            number: number, total: 120, line: number, stage: dice.text(5),
            text: "RUN \(dice.text(90))")
        if running.isEmpty || dice.below(8) == 0 {
            if running.count == 3 { return .stepCached(fresh) }
            running.append(fresh)
            return .stepStarted(fresh)
        }
        let index = dice.below(running.count)
        switch dice.below(16) {
        case 0: return .stepDone(running.remove(at: index), seconds: 1, isPacking: false)
        case 1: return .stepFailed(running.remove(at: index))
        case 2: return .stepCancelled(running.remove(at: index))
        case 3: return .warning(dice.text(200))
        default: return .stepOutput(running[index], output(&dice))
        }
    }

    /// Pieces of lines, of escape sequences and of characters.
    private static func output(_ dice: inout Dice) -> [UInt8] {
        let parts: [[UInt8]] =
            [
                "text", "\n", "\n", "\r", "\t", "世界", "e\u{301}", "🚀", "\u{1B}[2J", "\u{1B}[10A",
                "\u{1B}]0;title\u{07}", "\u{1B}[31", "\u{9B}5A", "\u{202E}abc", "\u{1B}(0",
                "\u{08}\u{08}",
                "\u{1B}c", "\u{1B}[?1049h", String(repeating: "long ", count: 60),
            ].map { Array($0.utf8) } + [[0xFF, 0xFE], [0], [0x9B], [0xE4, 0xB8], [0xF0, 0x9F]]
        return (0..<dice.below(12)).flatMap { _ in parts[dice.below(parts.count)] }
    }
}
