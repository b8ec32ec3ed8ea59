import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A damaged store` {
    private let lichen: LichenProgram
    private let folder: BuildFolder
    private static let environment = ["SOURCE_DATE_EPOCH": "1500000000"]

    init() throws {
        lichen = try LichenProgram()
        folder = try BuildFolder("FROM \(Bases.busybox())\nRUN echo 1 > /one\n")
    }

    private func build() throws -> Command.Outcome {
        try lichen.build(folder, ["-t", "damaged:1"], Self.environment).run().required()
    }

    @Test func `is mended by a check, and the next build gives the same`() throws {
        let digest = try build().text
        let blobs = lichen.store + "/blobs/sha256"
        for name in try FileManager.default.contentsOfDirectory(atPath: blobs) {
            try Data("rot".utf8).write(to: URL(filePath: "\(blobs)/\(name)"))
        }
        let check = try lichen.run(["store", "check"])
        #expect(check.status == 1, "\(check)")
        #expect(check.text.contains("lichen store check --mend"), "\(check)")
        let mended = try lichen.run(["store", "check", "--mend"]).required()
        #expect(mended.text.contains("removed;"), "\(mended)")
        #expect(mended.text.contains("image docker.io/library/damaged:1"), "\(mended)")
        #expect(try lichen.run(["store", "check"]).isSuccess)
        #expect(try build().text == digest)
        let after = try lichen.run(["store", "check"])
        #expect(after.isSuccess, "\(after)")
    }
}
