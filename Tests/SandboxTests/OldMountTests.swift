import FoundationEssentials
import TestSupport
import Testing

/// The way of kernels before Linux 6.13: all layers in one string of mount(2). The helper OldMounts forces it.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `An overlay by mount(2)` {
    /// Mounts `count` layers that have a file each, in a directory with a long path.
    private func mount(_ count: Int) throws -> (Command.Outcome, TemporaryDirectory) {
        let directory = try TemporaryDirectory()
        let name = String(repeating: "long", count: 50)
        try Command([
            "sh", "-euc",
            """
            mkdir "$1"; cd "$1"; mkdir upper work
            for i in $(seq \(count)); do mkdir $i; echo $i > $i/file-$i; echo $i > $i/top; done
            """, "sh", directory.path(name),
        ]).run().required()
        let outcome = try Command([
            "unshare", "--map-root-user", "--map-auto", "--mount",
            LichenProgram.bundleFolder + "/OldMounts",
            directory.path(name), "\(count)",
        ]).run()
        try Command(["mv", directory.path(name), directory.path("all")]).run().required()
        return (outcome, directory)
    }

    /// Proves that it takes far more layers than a page of whole paths, in the right order, and writes to the upper directory.
    @Test(arguments: [1, 2, 60, 200])
    func `holds many layers`(count: Int) throws {
        let (outcome, directory) = try mount(count)
        try outcome.required()
        let names = outcome.text.split(separator: "\n")
        #expect(names.count == count + 1)
        #expect(names.contains("file-1") && names.contains("file-\(count)"))
        #expect(access(directory.path("all/upper/made")))
        TestHost.remove(directory.path("all"))
    }

    /// Proves that the kernel's misleading answer is never what a user gets.
    @Test func `says so when there are too many layers`() throws {
        let (outcome, directory) = try mount(260)
        #expect(outcome.status == 1)
        #expect(outcome.text.contains("at most about 220 layers"))
        TestHost.remove(directory.path("all"))
    }

    private func access(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
