/// Which of some names was meant by a word that is none of them.
enum NearNames {
    /// At most three, nearest first: names that differ in few letters, and names that the word is a part of.
    static func near(_ word: String, among names: [String]) -> [String] {
        let wanted = Array(word.lowercased().utf8.prefix(64))
        let ranked = names.enumerated().compactMap { index, name -> (Int, Int, String)? in
            let distance = distance(wanted, Array(name.utf8))
            if distance <= max(1, name.utf8.count / 3) { return (distance, index, name) }
            let parts = name.split { $0 == "." || $0 == "_" }
            let isPart = wanted.count > 2 && parts.contains { Array($0.utf8) == wanted }
            return isPart ? (wanted.count, index, name) : nil
        }
        return ranked.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(3).map { $0.2 }
    }

    /// Insertions, deletions and replacements that lead from `a` to `b`.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let replaced = diagonal + (letter == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
