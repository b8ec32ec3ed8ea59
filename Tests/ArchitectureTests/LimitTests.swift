import Testing

/// The numbers in Sources/Limits, and what the papers and the sources make of them.
@Suite struct `A limit on what comes from outside` {
    private static let file = "Sources/Limits/Limit.swift"

    private struct Constant: Hashable { var name, value, meaning: Substring }

    private func constants() throws -> [Constant] {
        let text = try #require(SourceTree.text(of: Self.file))
        let declaration =
            /\ {4}\/\/\/ (?<meaning>.+)\n\ {4}@inlinable public static var (?<name>\w+): \w+ \{ (?<value>.+) \}/
        return text.matches(of: declaration).map {
            Constant(name: $0.name, value: $0.value[...], meaning: $0.meaning)
        }
    }

    /// `4 << 20` as 4 MiB, `.seconds(30)` as 30 s, `1_000` as 1,000.
    private func words(_ value: Substring) -> String {
        if let match = value.wholeMatch(of: /(\d+) << (10|20|30)/) {
            return "\(match.1) \(["10": "KiB", "20": "MiB", "30": "GiB"][match.2]!)"
        }
        if let match = value.wholeMatch(of: /\.seconds\((\d+)\)/) { return "\(match.1) s" }
        var digits = String(value.filter { $0 != "_" })
        for place in stride(from: digits.count - 3, to: 0, by: -3) {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
        }
        return digits
    }

    @Test func `stands in the papers with its value and its meaning`() throws {
        let paper = try #require(SourceTree.text(of: "docs/limits.md"))
        let rows = Set(paper.split(separator: "\n").filter { $0.hasPrefix("| `") })
        let constants = try constants()
        #expect(constants.count > 50)
        for constant in constants {
            let row = "| `\(constant.name)` | \(words(constant.value)) | \(constant.meaning) |"
            #expect(rows.contains(row[...]), "docs/limits.md lacks: \(row)")
        }
        #expect(Set(constants.map(\.name)).count == constants.count)
    }

    @Test func `is used, and is all that is declared there`() throws {
        let text = try #require(SourceTree.text(of: Self.file))
        let constants = try constants()
        #expect(text.matches(of: /static/).count == constants.count)
        let sources = SourceTree.swiftFiles(below: "Sources").filter { $0 != Self.file }
            .compactMap { SourceTree.text(of: $0) }.joined()
        let used = Set(sources.matches(of: /\bLimit\.(\w+)/).map(\.1))
        for constant in constants {
            #expect(used.contains(constant.name), "nobody uses \(constant.name)")
        }
    }

    /// What the kernel itself writes is bounded by the kernel; what the store writes, by us.
    @Test func `has a name wherever a file is read`() throws {
        let exceptions: Set = ["Linux", "Attack", "Build/PeakMemory.swift", "Store"]
        for path in SourceTree.swiftFiles(below: "Sources") {
            let inner = path.dropFirst("Sources/".count)
            if exceptions.contains(where: { inner.hasPrefix($0) }) { continue }
            let text = try #require(SourceTree.text(of: path))
            #expect(text.firstMatch(of: /readAll\(limit: \d/) == nil, "\(path): a number")
        }
    }
}
