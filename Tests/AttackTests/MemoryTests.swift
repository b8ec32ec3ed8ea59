import TestSupport
import Testing

/// What a few bytes announce must not become memory.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: memory` {
    /// Runs a program, and writes the largest resident size of it and all of its children, in KiB, as the last line.
    private static let measure = """
        import os, resource, sys
        status = os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:])
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
        sys.exit(status)
        """

    /// In MiB.
    private func size(_ scene: Scene, of image: RawImage) throws -> Int {
        var command = try scene.buildCommand(
            "FROM scratch\nCOPY --from=base / /\n", ["base": try scene.base(image)])
        command.arguments = ["python3", "-c", Self.measure] + command.arguments
        let outcome = try command.run()
        #expect(Scene.refused.contains(outcome.status ?? -1), "\(outcome)")
        let line = try #require(outcome.error.split(separator: "\n").last)
        return try #require(Int(line)) / 1024
    }

    private typealias Formats = `Attack: the format of a layer`

    @Test(arguments: [
        Formats.sparse[4], Formats.longNames[0], Formats.longNames[3], Formats.paxLies[0],
        Formats.paxLies[1],
    ])
    func `T10 T11 T12 a header that announces much gets little`(hostile: Hostile) throws {
        try attack("T10-memory") { scene in
            let image = RawImage { hostile.write(&$0, scene.canary) }
            let found = try size(scene, of: image)
            #expect(found < 256)
        }
    }

    @Test func `I03 documents that are too large or too deep are not kept`() throws {
        try attack("I03-memory") { scene in
            for (text, count) in [("[", 1_000_000), ("{\"a\":", 200_000)] {
                var image = RawImage { $0.file("x") }
                image.editManifest = { _ in "{\"x\":" + String(repeating: text, count: count) }
                let found = try size(scene, of: image)
                #expect(found < 256)
            }
        }
    }
}
