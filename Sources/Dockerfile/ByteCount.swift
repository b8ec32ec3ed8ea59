/// `64m`, `1.5GiB`, `1024`: bytes, the units being powers of 1024.
func byteCount(_ text: String) -> Int? {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    guard let number = Double(digits), number.isFinite else { return nil }
    var unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    var factor = 1.0
    let prefixes = ["k", "m", "g", "t", "p"]
    if let first = unit.first, let power = prefixes.firstIndex(of: String(first)) {
        for _ in 0...power { factor *= 1024 }
        unit.removeFirst()
        guard ["", "b", "ib"].contains(unit) else { return nil }
    } else if !["", "b"].contains(unit) {
        return nil
    }
    let bytes = number * factor
    return bytes < 0x1p63 ? Int(bytes) : nil
}
