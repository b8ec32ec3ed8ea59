import Build
import OCI
import Testing

@testable import lichen

/// Just enough of a terminal: lines, a cursor, and the two sequences that we send.
private struct ToyTerminal {
    var rows: [String] = [""]

    mutating func receive(_ text: String) {
        var rest = text[...]
        while let scalar = rest.unicodeScalars.first {
            if scalar == "\u{1B}" {
                let end = rest.firstIndex { $0 == "A" || $0 == "J" }!
                // "[3A": the cursor goes up and all below is cleared with "[J", which always follows.
                if rest[end] == "A" {
                    let count = Int(rest[..<end].dropFirst(2))!
                    rows.removeLast(min(count + 1, rows.count))
                    rows.append("")
                }
                rest = rest[rest.index(after: end)...]
            } else {
                rest.unicodeScalars.removeFirst()
                if scalar == "\n" {
                    rows.append("")
                } else if scalar != "\r" {
                    rows[rows.count - 1].unicodeScalars.append(scalar)
                }
            }
        }
    }

    /// Without the empty row that the cursor rests in.
    var text: [String] { Array(rows.dropLast()) }
}

private let size = TerminalSize(rows: 24, columns: 60)

@Suite struct `A live display` {
    @Test func `shows what runs, and leaves what is done`() {
        var view = LiveView(started: 0)
        var terminal = ToyTerminal()
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepOutput(firstStep, Array("compiling\nlink".utf8)), at: 0.2)
        terminal.receive(view.draw(at: 2, size: size)!)
        #expect(
            terminal.text == [
                "lichen: 0 of 5 steps, 2.0s", "#2 [build 2/5] RUN make all  2.0s", "   │ compiling",
                "   │ link",
            ])
        view.take(.stepDone(firstStep, seconds: 3), at: 3)
        view.take(.stepCached(secondStep), at: 3)
        terminal.receive(view.draw(at: 3, size: size)!)
        let done = ["#2 [build 2/5] RUN make all  3.0s", "#3 [3/5] RUN true  cached"]
        #expect(terminal.text == done + ["lichen: 2 of 5 steps, 1 cached, 3.0s"])
        terminal.receive(view.close(size: size))
        #expect(terminal.text == done)
    }

    @Test func `is drawn at most ten times a second`() {
        var view = LiveView(started: 0)
        let frames = (0..<1000).compactMap { view.draw(at: Double($0) / 1000, size: size) }
        #expect((5...10).contains(frames.count))
    }

    @Test func `shows the last lines of a step that failed`() {
        var view = LiveView(started: 0)
        var terminal = ToyTerminal()
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepOutput(firstStep, Array("one\n\u{1B}[2Jtwo".utf8)), at: 0)
        terminal.receive(view.draw(at: 1, size: size)!)
        view.take(.stepFailed(firstStep), at: 2)
        terminal.receive(view.close(size: size))
        #expect(terminal.text == ["#2 [build 2/5] RUN make all  failed", "#2 one", "#2 two"])
    }

    @Test func `keeps all output where it was asked for`() {
        var view = LiveView(started: 0, keepsOutput: true)
        var terminal = ToyTerminal()
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepOutput(firstStep, Array("one\ntwo".utf8)), at: 0)
        view.take(.stepDone(firstStep, seconds: 1), at: 1)
        terminal.receive(view.close(size: size))
        #expect(terminal.text.first == "#2 one")
    }

    @Test(arguments: [1, 2, 3, 5, 10, 24], [1, 8, 20, 40, 200])
    func `never is wider or higher than the terminal`(rows: Int, columns: Int) {
        var board = BoardState()
        for number in 1...12 {
            let step = BuildEvent.Step(
                number: number, total: 12, line: 1, stage: "stage-\(number)",
                text: "RUN echo 世界世界世界世界世界世界世界 && make all install")
            _ = board.take(.stepStarted(step), at: 0)
            _ = board.take(.stepOutput(step, Array("a\tb\nc\nd\n長い長い長い長い長い長い".utf8)), at: 0)
        }
        let transfer = BuildEvent.Transfer(direction: .upload, digest: someDigest, size: 1000)
        _ = board.take(.transferStarted(transfer), at: 0)
        let size = TerminalSize(rows: rows, columns: columns)
        let lines = TerminalFrame(board, size: size, now: 9, started: 0).lines
        #expect(lines.count <= max(rows - 1, 1))
        #expect(lines.allSatisfy { TextWidth.columns($0) < max(columns, 1) })
    }

    @Test func `finds its first row again on a terminal that became narrower`() {
        var screen = TerminalScreen()
        let line = String(repeating: "x", count: 79)
        let wide = TerminalSize(rows: 24, columns: 80)
        _ = screen.update(permanent: [], frame: [line, "short"], size: wide)
        let narrow = TerminalSize(rows: 24, columns: 40)
        let next = screen.update(permanent: [], frame: [], size: narrow)
        #expect(next == "\r\u{1B}[3A\u{1B}[J")
    }

    @Test func `shows transfers with their bytes`() {
        var board = BoardState()
        let transfer = BuildEvent.Transfer(direction: .download, digest: someDigest, size: 2000)
        _ = board.take(.transferStarted(transfer), at: 0)
        _ = board.take(.transferProgress(transfer, bytes: 1000), at: 1)
        func last(_ columns: Int) -> String? {
            TerminalFrame(
                board, size: TerminalSize(rows: 9, columns: columns), now: 1, started: 0
            ).lines.last
        }
        #expect(last(70) == "download sha256:abababababab  1.0 kB of 2.0 kB")
        #expect(last(100)?.contains("██████████░░░░░░░░░░") == true)
        let kept = board.take(.transferDone(transfer, moved: true, seconds: 2), at: 2)
        #expect(kept == ["download sha256:abababababab  2.0 kB  2.0s"])
    }
}

@Suite struct `The width of text` {
    @Test(arguments: [
        ("abc", 3), ("äöü", 3), ("世界", 4), ("e\u{301}", 1), ("🚀", 2), ("", 0), ("한글", 4),
    ]) func `is counted in columns`(text: String, columns: Int) {
        #expect(TextWidth.columns(text) == columns)
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("世界世界", 5, "世界…"),
        ("世界世界", 4, "世…"), ("abc", 1, "…"), ("abc", 0, ""), ("a\tb", 10, "a  b"),
    ]) func `is cut to fit`(text: String, limit: Int, expected: String) {
        #expect(TextWidth.fit(text, limit) == expected)
    }
}
