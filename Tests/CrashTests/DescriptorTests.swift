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

    @Test func `are as many after many stages as after one`() throws {
        let (few, many) = (try build(stages: 1), try build(stages: 12))
        for role in [Fault.Role.builder, .worker, .unpacker] {
            let (before, after) = (few.descriptors[role], many.descriptors[role])
            #expect((before?.last ?? 0) > 3, "\(few)")
            // Some stay for as long as a process lives: connections, the memory of hints, what the last step left.
            #expect((after?.last ?? .max) <= (before?.last ?? 0) + 4, "\(role): \(few) \(many)")
            #expect((after?.most ?? .max) < 200, "\(role): \(many)")
        }
    }
}
