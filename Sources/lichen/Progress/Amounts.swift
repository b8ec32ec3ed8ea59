/// Bytes as people read them: `812 B`, `1.4 kB`, `33.0 MB`. Powers of 1000, as registries and disks count.
enum ByteCount {
    static func text(_ bytes: Int64) -> String {
        if bytes < 1000 { return "\(max(bytes, 0)) B" }
        var value = Double(bytes)
        for unit in ["kB", "MB", "GB", "TB"] {
            value /= 1000
            if value < 999.95 || unit == "TB" { return "\(Decimal.text(value)) \(unit)" }
        }
        return "\(bytes) B"
    }
}

/// Time spans as people read them: `0.3s`, `12.0s`, `2m05s`, `1h02m`.
enum Elapsed {
    static func text(_ seconds: Double) -> String {
        // A clock that went back is shown as no time.
        guard seconds.isFinite, seconds > 0 else { return "0.0s" }
        if seconds < 59.95 { return "\(Decimal.text(seconds))s" }
        let whole = Int(min(seconds, 1e9).rounded())
        if whole < 3600 { return "\(whole / 60)m\(Decimal.two(whole % 60))s" }
        return "\(whole / 3600)h\(Decimal.two(whole / 60 % 60))m"
    }
}

enum Decimal {
    /// With one digit after the point; not negative.
    static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// Columns of text.
enum Table {
    /// Each column as wide as its widest cell, two blanks between them.
    static func lines(_ head: [String], _ rows: [[String]]) -> [String] {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.indices.map { column in
                column == row.count - 1
                    ? row[column]
                    : row[column]
                        + String(repeating: " ", count: widths[column] - row[column].count)
            }
            return cells.joined(separator: "  ")
        }
    }
}
