import FoundationEssentials
import TestSupport
import Testing

/// What random sequences found, or could not find.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A RUN on files that are special` {
    private func check(_ phases: [String]...) throws {
        let failures = try SequenceBatch([Sequence(phases: phases)]).failures()
        #expect(failures.flatMap(\.differences) == [])
    }

    @Test func `removes a file whose place a socket has taken`() throws {
        try check(["w a 3 1", "k d", "w d/x 3 1"], ["d a", "S a", "d d", "S d"])
    }

    @Test func `leaves no socket for the next one`() throws {
        try check(["k d", "S d/a"], ["w d/a 3 1"], ["m d 700"])
    }

    @Test func `makes links of files that were the same before`() throws {
        let same = ["w a 9 1", "u a 1000 0", "w b 9 1", "u b 1000 0"]
        try check(same, ["d b", "l a b"], ["w c 1 1"])
    }

    @Test func `makes one file of two sets of links`() throws {
        let same = ["w a 9 1", "u a 1000 0", "l a b", "w c 9 1", "u c 1000 0", "l c d"]
        try check(same, ["d c", "d d", "l a c", "l a d"])
    }

    @Test(arguments: [251, 252, 255])
    func `removes a file with a long name`(length: Int) throws {
        let name = String(repeating: "n", count: length)
        try check(["w \(name) 3 1", "k d", "w d/\(name) 3 1"], ["d \(name)", "d d/\(name)"])
    }

    @Test func `names a path that is too long for an archive`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder(
            "FROM scratch\nCOPY fsops script /t/\nRUN [\"/t/fsops\", \"run\", \"/t/script\", \"/p\"]\n",
            ["script": "seq a\nC 300\n"])
        try FileManager.default.copyItem(
            atPath: FileOperations.program(), toPath: folder.path + "/fsops")
        let outcome = try lichen.build(folder).run()
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.error.contains("longer than 4095 bytes"), "\(outcome)")
        #expect(lichen.work.isEmpty, "\(lichen.work)")
    }
}
