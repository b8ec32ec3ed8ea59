import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `The descriptors of a build` {
    /// Stages that don't depend on each other, each with some steps; with `--jobs 1` they come one after another.
    private func build(stages: Int) throws -> FaultReport {
        let base = try Bases.busybox()
        let stage = { (number: Int) in
            """
            FROM \(base) AS stage\(number)
            COPY file /file\(number)
            RUN echo \(number) > /made\(number)
            RUN rm /file\(number)

            """
        }
        let copies = (0..<stages).map { "COPY --from=stage\($0) /made\($0) /\n" }
        let text = (0..<stages).map(stage).joined() + "FROM scratch\n" + copies.joined()
        let folder = try BuildFolder(text, ["file": "file"])
        let program = try FaultyProgram()
        let words = ["build", "--progress", "plain", "--jobs", "1", folder.path]
        let (outcome, report) = try program.run(words, .none)
        try outcome.required()
        return report
    }

    @Test func `grow by two for each RUN at most`() throws {
        let (few, many) = (try build(stages: 1), try build(stages: 12))
        let runs = 2 * 11
        for role in [Fault.Role.builder, .worker, .unpacker] {
            let (before, after) = (few.descriptors[role]?.most, many.descriptors[role]?.most)
            #expect((before ?? 0) > 3, "\(role): \(few)")
            // Worker and unpacker keep what a RUN left until the build ends, since any later step may stand on it. Beside that some
            // stay for as long as a process lives: connections, the memory of hints. And what is packed and received beside the RUNs.
            let allowed = (before ?? 0) + (role == .builder ? 0 : 2 * runs) + 16
            #expect((after ?? .max) <= allowed, "\(role): \(few) \(many)")
        }
    }
}
