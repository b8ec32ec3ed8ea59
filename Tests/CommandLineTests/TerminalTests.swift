import Build
import OCI
import Testing

@testable import lichen

private let size = TerminalSize(rows: 24, columns: 60)

@Suite struct `A live display` {
    private var view = LiveView(started: 0)
    private var terminal = VirtualTerminal(size)

    private mutating func draw(at time: Double) {
        terminal.receive(view.draw(at: time, size: terminal.size) ?? "")
        #expect(terminal.isAtRest && terminal.faults.isEmpty)
    }

    @Test mutating func `shows what runs, and leaves what is done`() {
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepOutput(firstStep, Array("compiling\n\tlink".utf8)), at: 0.2)
        draw(at: 2)
        #expect(
            terminal.lines == [
                "   2.0s  0 of 5 steps done",
                "   2.0s  [build 2/5] RUN make all",
                "         │ compiling",
                "         │         link",
            ])
        view.take(.stepDone(firstStep, seconds: 3, isPacking: true), at: 3)
        view.take(.stepCached(secondStep), at: 3)
        draw(at: 3)
        let cached = " cached  [3/5] RUN true"
        #expect(
            terminal.lines == [
                cached, "   3.0s  2 of 5 steps done, 1 cached",
                "packing  [build 2/5] RUN make all",
            ])
        view.take(.layerPacked(firstStep, digest: someDigest, size: 4_200_000), at: 3.5)
        draw(at: 4)
        let done = "   3.0s  [build 2/5] RUN make all  4.2 MB"
        #expect(terminal.lines == [cached, done, "   4.0s  2 of 5 steps done, 1 cached"])
        terminal.receive(view.close(size: size))
        #expect(terminal.lines == [cached, done])
    }

    @Test mutating func `is drawn at most ten times a second`() {
        let frames = (0..<1000).compactMap { view.draw(at: Double($0) / 1000, size: size) }
        #expect((5...10).contains(frames.count))
    }

    @Test mutating func `is not sent again where nothing changed`() {
        view.take(.stepStarted(firstStep), at: 0)
        draw(at: 7200)
        #expect(view.draw(at: 7201, size: size) == "")
    }

    @Test
    mutating func
        `shows the last lines of a step that failed, and only titles of those it stopped`()
    {
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepStarted(secondStep), at: 0)
        let long = String(repeating: "x", count: 100)
        view.take(.stepOutput(firstStep, Array("one\n\u{1B}[2Jtwo \(long)".utf8)), at: 0)
        view.take(.stepOutput(secondStep, Array("three\n".utf8)), at: 0)
        draw(at: 1)
        view.take(.stepFailed(firstStep), at: 2)
        view.take(.stepCancelled(secondStep), at: 2)
        terminal.receive(view.close(size: size))
        #expect(
            terminal.lines == [
                " failed  [build 2/5] RUN make all", "         │ one", "         │ two \(long)",
                "stopped  [3/5] RUN true",
            ])
    }

    @Test func `keeps all output where it was asked for`() {
        var view = LiveView(started: 0, keepsOutput: true)
        var terminal = VirtualTerminal(size)
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepOutput(firstStep, Array("one\ntwo".utf8)), at: 0)
        view.take(.stepDone(firstStep, seconds: 1, isPacking: false), at: 1)
        terminal.receive(view.close(size: size))
        #expect(terminal.lines.prefix(2) == ["     #2  │ one", "     #2  │ two"])
    }

    @Test mutating func `shows what is still being packed when it closes`() {
        view.take(.stepStarted(firstStep), at: 0)
        view.take(.stepDone(firstStep, seconds: 1, isPacking: true), at: 1)
        terminal.receive(view.close(size: size))
        #expect(terminal.lines == ["   1.0s  [build 2/5] RUN make all"])
    }

    @Test mutating func `draws nothing that moves in the background`() {
        view.take(.stepStarted(firstStep), at: 0)
        draw(at: 1)
        let drawn = terminal.lines
        terminal.receive("$ what the user types\n")
        view.take(.stepCached(secondStep), at: 2)
        terminal.receive(view.draw(at: 2, size: size, isForeground: false)!)
        let all = drawn + ["$ what the user types", " cached  [3/5] RUN true"]
        #expect(terminal.lines == all)
        draw(at: 3)
        #expect(terminal.lines.count == all.count + 2)
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
        #expect(lines.allSatisfy { TextWidth.columns($0.text) < max(columns, 1) })
    }

    @Test func `shows transfers with their bytes and rate`() {
        var board = BoardState()
        let transfer = BuildEvent.Transfer(direction: .download, digest: someDigest, size: 2000)
        _ = board.take(.transferStarted(transfer), at: 0)
        _ = board.take(.transferProgress(transfer, bytes: 1000), at: 1)
        func last(_ columns: Int, at now: Double = 1) -> String? {
            let size = TerminalSize(rows: 9, columns: columns)
            return TerminalFrame(board, size: size, now: now, started: 0).lines.last?.text
        }
        let name = "download sha256:abababababab"
        let amounts = "1.0 kB of 2.0 kB  1.0 kB/s"
        #expect(last(90) == "    50%  \(name)  ██████████░░░░░░░░░░  \(amounts)")
        #expect(last(80) == "    50%  download  ██████████░░░░░░░░░░  \(amounts)")
        #expect(last(60) == "    50%  download  █████░░░░░  \(amounts)")
        #expect(last(50) == "    50%  download  \(amounts)")
        #expect(last(40) == "    50%  download  1.0 kB of 2.0 kB")
        #expect(last(30) == "    50%  1.0 kB of 2.0 kB")
        // One that stands still is seen to.
        #expect(last(50, at: 9) == "    50%  download  1.0 kB of 2.0 kB  0 B/s")
        let kept = board.take(.transferDone(transfer, moved: true, seconds: 2), at: 2)
        #expect(kept.map(\.text) == ["   2.0s  \(name)  2.0 kB"])
    }

    @Test func `cuts a title, and not the size behind it`() {
        let line = DisplayLine(Margin.line("1.0s", "RUN a very long command"), ending: "  12.0 MB")
        #expect(line.fit(30).text == "   1.0s  RUN a very …  12.0 MB")
        #expect(line.fit(10).text == "   1.0s  …")
    }
}

@Suite struct `Colour` {
    private func sent(_ environment: [String: String]) -> String {
        var view = LiveView(started: 0, palette: Palette(environment: environment))
        view.take(.stepCached(secondStep), at: 0)
        view.take(.stepFailed(firstStep), at: 0)
        return view.draw(at: 1, size: size)!
    }

    @Test func `is for what was cached and what failed`() {
        let text = sent([:])
        #expect(text.contains("\u{1B}[2m cached  [3/5] RUN true\u{1B}[0m\n"))
        #expect(text.contains("\u{1B}[31m failed  [build 2/5] RUN make all\u{1B}[0m\n"))
        var terminal = VirtualTerminal(size)
        terminal.receive(text)
        #expect(terminal.faults.isEmpty)
    }

    @Test func `is not there where NO_COLOR is set`() {
        #expect(!sent(["NO_COLOR": "1"]).contains("m" + " cached"))
        #expect(!sent(["NO_COLOR": "1"]).contains("[0m"))
        #expect(sent(["NO_COLOR": ""]).contains("[0m"))
    }

    @Test func `needs a terminal that can`() {
        #expect(!Terminal.isCapable(environment: ["TERM": "dumb"]))
        #expect(!Terminal.isCapable(environment: [:]))
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
        ("世界世界", 4, "世…"), ("abc", 1, "…"), ("abc", 0, ""), ("a\tb", 10, "a       b"),
        ("\ta\t\tb", 25, "        a               b"), ("\ta", 5, "    …"),
    ]) func `is cut to fit`(text: String, limit: Int, expected: String) {
        #expect(TextWidth.fit(text, limit) == expected)
    }
}
