import TestSupport
import Testing

private let needsSandboxes: Comment =
    "no subordinate ids, or docker-registry, umoci, skopeo are missing"

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The corpus of the language` {
    static let runner = Result { try WholeRunner() }

    @Test func `has a case for every row, and each says where it comes from`() {
        let rows = Set(WholeCase.knownRows)
        #expect(rows.count >= 60)
        #expect(WholeCase.all.count >= 200)
        #expect(Set(WholeCase.all.map(\.testDescription)).count == WholeCase.all.count)
        for item in WholeCase.all {
            #expect(!item.source.isEmpty && !item.rows.isEmpty, "\(item)")
            #expect(rows.isSuperset(of: item.rows), "\(item)")
            let claims = item.expected + item.gone + item.said + item.errors
            #expect(!claims.isEmpty, "\(item)")
        }
        let shown = Set(WholeCase.all.flatMap(\.rows))
        #expect(rows.subtracting(shown).isEmpty, "no case shows these rows")
    }

    @Test(arguments: WholeCase.all)
    func `is what Lichen builds`(item: WholeCase) async throws {
        let runner = try Self.runner.get()
        let result = try await aside { try runner.run(item) }
        let differences = try result.differences(from: item)
        #expect(differences.isEmpty, "\(result.outcome)")
    }
}
