/// How many columns of a terminal a harmless text takes.
enum TextWidth {
    /// Of a whole text.
    static func columns(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + columns($1) }
    }

    /// How many rows a line takes that a terminal breaks: a wide character is not parted.
    static func rows(_ text: String, columns limit: Int) -> Int {
        var (rows, width) = (1, 0)
        for scalar in text.unicodeScalars {
            let own = columns(scalar)
            if width > 0, width + own > limit { (rows, width) = (rows + 1, 0) }
            width += own
        }
        return rows
    }

    /// With blanks up to the next eighth column instead of each tab.
    static func expandingTabs(_ text: String) -> String {
        guard text.contains("\t") else { return text }
        var result = String.UnicodeScalarView()
        var width = 0
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                let blanks = 8 - width % 8
                result.append(contentsOf: repeatElement(" ", count: blanks))
                width += blanks
            } else {
                result.append(scalar)
                width += columns(scalar)
            }
        }
        return String(result)
    }

    /// The longest begin of `text` that fits, and an ellipsis where something is left out. Tabs become blanks.
    static func fit(_ text: String, _ limit: Int) -> String {
        let flat = expandingTabs(text)
        if columns(flat) <= limit { return flat }
        guard limit > 1 else { return limit == 1 ? "…" : "" }
        var result = String.UnicodeScalarView()
        var width = 0
        for scalar in flat.unicodeScalars {
            let own = columns(scalar)
            if width + own > limit - 1 { break }
            width += own
            result.append(scalar)
        }
        return String(result) + "…"
    }

    /// Of one scalar: marks take none, East Asian wide characters and pictures two. Unicode, UAX #11.
    static func columns(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return isWide(scalar.value) ? 2 : 1
        }
    }

    /// The ranges are in order: half of them are left out at each look.
    private static func isWide(_ value: UInt32) -> Bool {
        var (low, high) = (0, wide.count)
        while low < high {
            let middle = (low + high) / 2
            if wide[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < wide.count && wide[low].contains(value)
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x23E9...0x23EC, 0x25FD...0x25FE, 0x2614...0x2615,
        0x2648...0x2653, 0x26A1...0x26A1, 0x2705...0x2705, 0x270A...0x270B, 0x2728...0x2728,
        0x274C...0x274C, 0x2753...0x2755, 0x2795...0x2797, 0x2B1B...0x2B1C, 0x2B50...0x2B50,
        0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x18DFF, 0x1B000...0x1B2FF, 0x1F004...0x1F004, 0x1F0CF...0x1F0CF,
        0x1F18E...0x1F18E, 0x1F191...0x1F19A, 0x1F200...0x1F320, 0x1F32D...0x1F64F,
        0x1F680...0x1F6FF, 0x1F7E0...0x1F7EB, 0x1F90C...0x1F9FF, 0x1FA70...0x1FAFF,
        0x20000...0x3FFFD,
    ]
}
