import TestSupport
import Testing

private let needsSandboxes: Comment = "no subordinate ids: COPY --from needs a worker"

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The corpus of COPY and ADD` {
    private static let runner = try? CorpusRunner(LichenBuilder())

    @Test func `is large, and each case says where it comes from`() {
        #expect(CorpusCase.all.count >= 300)
        #expect(Set(CorpusCase.all.map(\.testDescription)).count == CorpusCase.all.count)
        for item in CorpusCase.all {
            #expect(!item.source.isEmpty, "\(item)")
            #expect(!item.instructions.isEmpty, "\(item)")
        }
    }

    @Test(arguments: CorpusCase.all)
    func `is what Lichen builds`(item: CorpusCase) async throws {
        let runner = try #require(Self.runner)
        let result = try await aside { try runner.run(item) }
        if let words = item.error {
            #expect(result.error?.contains(words) == true, "\(result)")
        } else {
            #expect(result.error == nil)
            #expect(result.files.sorted() == item.expected.sorted())
            #expect(result.gone == item.gone)
        }
    }
}
