import Testing

@testable import lichen

/// A terminal: rows, a cursor, lines that break at its width and are broken anew when it gets another one, and exactly the
/// sequences that the display may send. ECMA-48; wide characters take two cells.
struct VirtualTerminal {
    private enum Cell: Equatable {
        case blank
        case text(String)
        /// The second half of a wide character.
        case second
        /// At a row's end, where a wide character did not fit.
        case filler
    }

    private struct Row {
        var cells: [Cell] = []
        /// The line goes on in the next row.
        var goesOn = false
    }

    private(set) var size: TerminalSize
    /// Those that scrolled out among them.
    private var rows = [Row()]
    /// The first one that can be seen, and reached.
    private var top = 0
    private var row = 0
    private var column = 0
    private var isBreaking = true
    /// What was sent that no display may send.
    private(set) var faults: [String] = []

    init(_ size: TerminalSize) { self.size = size }

    // MARK: - What stands there

    /// All lines, as they were before they were broken into rows; without the one of the cursor at the end.
    var lines: [String] {
        var result: [String] = []
        var cells: [Cell] = []
        for row in rows.dropLast() {
            cells += row.cells
            if row.goesOn { continue }
            result.append(Self.text(cells))
            cells = []
        }
        return result
    }

    /// The rows that can be seen.
    var visible: [String] { rows[top...].map { Self.text($0.cells) } }

    /// Whether the cursor is at the begin of an empty last row, and lines break as they should.
    var isAtRest: Bool {
        row == rows.count - 1 && column == 0 && isBreaking && Self.text(rows[row].cells).isEmpty
    }

    private static func text(_ cells: [Cell]) -> String {
        var result = ""
        for cell in cells {
            switch cell {
            case .blank: result += " "
            case .text(let text): result += text
            case .second, .filler: break
            }
        }
        return String(result.reversed().drop { $0 == " " }.reversed())
    }

    // MARK: - What is sent

    mutating func receive(_ text: String) {
        var scalars = Array(text.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\u{1B}": takeSequence(&scalars)
            case "\n": feedLine()
            case "\r": column = 0
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                faults.append("control \(scalar.value)")
            default: put(scalar)
            }
        }
    }

    private mutating func takeSequence(_ scalars: inout ArraySlice<Unicode.Scalar>) {
        guard scalars.popFirst() == "[" else { return faults.append("an escape") }
        var parameter = ""
        while let scalar = scalars.popFirst() {
            if (0x20...0x3F).contains(scalar.value) {
                parameter.unicodeScalars.append(scalar)
                continue
            }
            switch (parameter, scalar) {
            case ("?7", "h"): isBreaking = true
            case ("?7", "l"): isBreaking = false
            case ("", "K"): erase(row, from: column)
            case ("", "J"): eraseBelow()
            case ("", "C"): column = min(column + 1, size.columns - 1)
            case (_, "A") where Int(parameter).map { $0 > 0 } == true:
                row = max(row - Int(parameter)!, top)
            case (_, "m") where ["0", "1", "2", "31", "33"].contains(parameter): break
            default: faults.append("sequence \(parameter)\(scalar)")
            }
            return
        }
        faults.append("an unfinished sequence")
    }

    private mutating func feedLine() {
        rows[row].goesOn = false
        nextRow()
    }

    private mutating func nextRow() {
        row += 1
        if row == rows.count { rows.append(Row()) }
        top = max(top, row - size.rows + 1)
        column = 0
    }

    private mutating func erase(_ row: Int, from column: Int) {
        // A cursor behind the last column waits in it.
        let column = min(column, size.columns - 1)
        if column < rows[row].cells.count {
            rows[row].cells.removeLast(rows[row].cells.count - column)
        }
        rows[row].goesOn = false
    }

    private mutating func eraseBelow() {
        // As tmux does: a screen that is cleared from its first cell goes to the history.
        if row == top && column == 0 { faults.append("a cleared screen") }
        erase(row, from: column)
        rows.removeLast(rows.count - 1 - row)
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        let width = TextWidth.columns(scalar)
        if width == 0 { return combine(scalar) }
        if column + width > size.columns {
            if isBreaking && size.columns >= width {
                while rows[row].cells.count < size.columns { rows[row].cells.append(.filler) }
                rows[row].goesOn = true
                nextRow()
            } else {
                column = max(size.columns - width, 0)
            }
        }
        set(.text(String(Character(scalar))))
        if width == 2 { set(.second) }
    }

    private mutating func set(_ cell: Cell) {
        while rows[row].cells.count <= column { rows[row].cells.append(.blank) }
        rows[row].cells[column] = cell
        column += 1
    }

    private mutating func combine(_ scalar: Unicode.Scalar) {
        let before = rows[row].cells[..<min(column, rows[row].cells.count)]
        let last = before.lastIndex { $0 != .second && $0 != .filler }
        guard let last, case .text(var text) = rows[row].cells[last] else { return }
        text.unicodeScalars.append(scalar)
        rows[row].cells[last] = .text(text)
    }

    // MARK: - Another size

    /// Breaks all lines anew, as most terminals do; rows come back from the history where there is room.
    mutating func resize(_ new: TerminalSize) {
        #expect(isAtRest)
        if new.columns != size.columns {
            var lines: [[Cell]] = []
            var goesOn = false
            for row in rows {
                if goesOn { lines[lines.count - 1] += row.cells } else { lines.append(row.cells) }
                goesOn = row.goesOn
            }
            rows = lines.flatMap { Self.rows($0, new.columns) }
        }
        size = new
        row = rows.count - 1
        top = max(0, rows.count - size.rows)
    }

    private static func rows(_ line: [Cell], _ columns: Int) -> [Row] {
        var result = [Row()]
        for (index, cell) in line.enumerated() {
            if case .text = cell {
                let isWide = index + 1 < line.count && line[index + 1] == .second
                breakRow(&result, for: isWide ? 2 : 1, columns)
                result[result.count - 1].cells.append(cell)
                if isWide { result[result.count - 1].cells.append(.second) }
            } else if cell == .blank {
                breakRow(&result, for: 1, columns)
                result[result.count - 1].cells.append(cell)
            }
        }
        return result
    }

    private static func breakRow(_ rows: inout [Row], for width: Int, _ columns: Int) {
        guard rows[rows.count - 1].cells.count + width > columns else { return }
        while rows[rows.count - 1].cells.count < columns {
            rows[rows.count - 1].cells.append(.filler)
        }
        rows[rows.count - 1].goesOn = true
        rows.append(Row())
    }
}
