import FoundationEssentials
import TestSupport
import Testing

/// Tests/single-id/Dockerfile, built where ids are mapped in different ways.
@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `Owners of files` {
    static let ways = [
        ["--ids", "subordinate", "--snapshotter", "overlay"],
        ["--ids", "single", "--snapshotter", "overlay"],
        ["--ids", "subordinate", "--snapshotter", "copy"],
        ["--ids", "single", "--snapshotter", "copy"],
    ]

    private func built(_ arguments: [String]) throws -> Built {
        let dockerfile = TestHost.sources + "/Tests/single-id/Dockerfile"
        let text = try String(contentsOfFile: dockerfile, encoding: .utf8)
        return try buildWhole(
            text,
            files: [
                "append": "a\n", "mode": "b\n", "move": "c\n", "remove": "d\n",
                "program.c": "#include <stdio.h>\nint main(void) { puts(\"works\"); }\n",
            ], baseLayers: 1,
            arguments + ["--build-arg", "BASE=\(Bases.compiler())"],
            environment: ["SOURCE_DATE_EPOCH": "1600000000"])
    }

    @Test func `are the same in the layers however ids are mapped`() throws {
        let first = try built(Self.ways[0])
        let owners = first.newLayers.flatMap(\.entries).filter { $0.name.hasPrefix("srv/") }
        func owner(_ name: String) -> String? {
            owners.last { $0.name == "srv/" + name }.map { "\($0.uid):\($0.gid)" }
        }
        #expect(owner("append") == "33:33")
        #expect(owner("mode") == "33:33")
        #expect(owner("moved") == "33:33")
        #expect(owner("remove") == "0:0")
        #expect(owner("bin/program") == "0:0")
        let output = owners.last { $0.name == "srv/output" }
        #expect(InspectedImage.decoded(output?.content ?? "") == "works\n")
        for way in Self.ways.dropFirst() {
            let other = try built(way)
            #expect(
                other.newLayers.map(\.diffID) == first.newLayers.map(\.diffID), "\(way)")
        }
    }
}
