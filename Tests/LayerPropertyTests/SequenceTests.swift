import Glibc
import TestSupport
import Testing

let needsJudges: Comment = "no subordinate ids, or umoci, gcc are missing"

/// A number from the environment: longer runs and other seeds than CI's.
private func setting(_ name: String, default value: UInt64) -> UInt64 {
    getenv(name).flatMap { UInt64(String(cString: $0)) } ?? value
}

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `An image of random steps` {
    /// So many sequences in an image.
    private static let batch = 500

    private func check(_ seeds: [UInt64], readBy reader: SequenceBatch.Reader) throws {
        // Podman sets times before 1970 to 0.
        let sequences = seeds.map { Sequence(seed: $0, withTimesBefore1970: reader == .umoci) }
        let failures = try SequenceBatch(sequences).failures(readBy: reader)
        for failure in failures.dropFirst(3) {
            Issue.record("seed \(seeds[failure.index]) fails, too")
        }
        for failure in failures.prefix(3) {
            let (shortest, differences) = try shrink(
                sequences[failure.index], readBy: reader)
            let shown = differences.isEmpty ? failure.differences : differences
            Issue.record(
                "seed \(seeds[failure.index]):\n\(shortest.text)\n\(shown.joined(separator: "\n"))")
        }
    }

    @Test func `is what the same operations make of a plain directory`() throws {
        let first = setting("LICHEN_PROPERTY_SEED", default: 1)
        let count = setting("LICHEN_PROPERTY_COUNT", default: 2000)
        for start in stride(from: first, to: first + count, by: Self.batch) {
            let end = min(start + UInt64(Self.batch), first + count)
            try check(Array(start..<end), readBy: .umoci)
        }
    }

    @Test(.enabled(if: TestHost.has(["podman"]), "podman is missing"))
    func `is the same to podman`() throws {
        try check(Array(100_000..<100_150), readBy: .podman)
    }

    /// Without overlay, and with one id: the way to the layers is another, their bytes are not.
    @Test(arguments: [["--snapshotter", "copy"], ["--ids", "single"]])
    func `has the same digest when it is made another way`(arguments: [String]) throws {
        var sequences = (300_000..<300_200).map { Sequence(seed: $0) }
        if arguments.contains("single") {
            // What a RUN can't do there.
            for index in sequences.indices { sequences[index].removeOwnerChanges() }
        }
        let batch = try SequenceBatch(sequences)
        #expect(try batch.digest(arguments) == batch.digest([]))
    }

    @Test func `has the same digest when the trees of its first steps were thrown away`() throws {
        let sequences = (200_000..<200_200).map { Sequence(seed: $0) }
        let (atOnce, inTwoGoes) = try SequenceBatch(sequences).digests()
        #expect(atOnce == inTwoGoes)
    }
}

extension Sequence {
    /// Leaves out what changes an owner.
    mutating func removeOwnerChanges() {
        for phase in phases.indices { phases[phase].removeAll { $0.hasPrefix("o ") } }
    }
}
