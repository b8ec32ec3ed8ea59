import FoundationEssentials
import TestSupport
import Testing

@testable import Doctor

@Suite struct `docs/doctor.md` {
    private struct Row: Equatable { var name, meaning, role: String }

    /// The rows of its tables of facts: name, value, meaning, and what a build is without it.
    private static func rows() throws -> [Row] {
        let data = try Data(contentsOf: URL(filePath: TestHost.sources + "/docs/doctor.md"))
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmed }
            guard cells.count == 4, cells[0].hasPrefix("`") else { return nil }
            return Row(
                name: String(cells[0].dropFirst().dropLast()), meaning: cells[2], role: cells[3])
        }
    }

    private static func role(of name: String) -> String {
        if Verdict.needed.contains(name) { return "no RUN" }
        return Verdict.wanted.first { $0.fact == name }?.consequence ?? "-"
    }

    @Test func `has every fact, in order, with its meaning and its weight`() throws {
        let rows = FactCatalog.all.map {
            Row(name: $0.name, meaning: $0.meaning, role: Self.role(of: $0.name))
        }
        #expect(try Self.rows() == rows)
    }

    @Test func `has meanings that fit into a line of the table`() {
        for fact in FactCatalog.all { #expect(fact.meaning.count <= 42, "\(fact.name)") }
    }
}

extension Substring {
    var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
