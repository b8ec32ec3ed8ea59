/// Durations as Go writes and reads them: `1h2m3.5s`. Nanoseconds.
enum GoDuration {
    private static let units: [(name: String, nanoseconds: UInt64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
        ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Nil for what is no duration, or too long for 64 bits. `0` needs no unit.
    static func parse(_ text: String) -> Int64? {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: UInt64 = 0
        while !rest.isEmpty {
            guard let part = takePart(&rest), part <= 1 << 63 else { return nil }
            total += part
            guard total <= 1 << 63 else { return nil }
        }
        if isNegative { return total == 1 << 63 ? .min : -Int64(total) }
        return Int64(exactly: total)
    }

    /// A number with its unit.
    private static func takePart(_ rest: inout Substring) -> UInt64? {
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = Substring()
        if rest.first == "." {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count)
        }
        guard !(whole.isEmpty && fraction.isEmpty) else { return nil }
        let name = rest.prefix { !isDigit($0) && $0 != "." }
        rest = rest.dropFirst(name.count)
        guard let unit = units.first(where: { $0.name == name })?.nanoseconds else { return nil }
        guard let count = whole.isEmpty ? 0 : UInt64(whole) else { return nil }
        let (value, overflows) = count.multipliedReportingOverflow(by: unit)
        guard !overflows, value <= 1 << 63 else { return nil }
        var digit = Double(unit)
        var extra = 0.0
        for character in fraction.prefix(18) {
            digit /= 10
            extra += digit * Double(character.wholeNumberValue ?? 0)
        }
        // Tenths do not sum up exactly; what is a whole number of nanoseconds should be one.
        return value + UInt64(extra + 1e-6)
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

    /// As Go prints it: `1m30s`, `1.5s`, `300ms`, `0s`.
    static func format(_ nanoseconds: Int64) -> String {
        let sign = nanoseconds < 0 ? "-" : ""
        let total = nanoseconds.magnitude
        if total == 0 { return "0s" }
        if total < 1_000 { return "\(sign)\(total)ns" }
        if total < 1_000_000 { return sign + decimal(total, digits: 3) + "µs" }
        if total < 1_000_000_000 { return sign + decimal(total, digits: 6) + "ms" }
        let (minutes, rest) = total.quotientAndRemainder(dividingBy: 60_000_000_000)
        let seconds = decimal(rest, digits: 9) + "s"
        if minutes == 0 { return sign + seconds }
        let hours = minutes / 60
        return sign + (hours == 0 ? "" : "\(hours)h") + "\(minutes % 60)m" + seconds
    }

    /// The number with its point moved, and no zeros at the end.
    private static func decimal(_ number: UInt64, digits: Int) -> String {
        var scale: UInt64 = 1
        for _ in 0..<digits { scale *= 10 }
        let (whole, rest) = number.quotientAndRemainder(dividingBy: scale)
        if rest == 0 { return "\(whole)" }
        var fraction = String(rest)
        fraction = String(repeating: "0", count: digits - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }
}
