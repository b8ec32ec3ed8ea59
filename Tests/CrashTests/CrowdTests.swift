import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A store that many use at once` {
    @Test func `serves eight builds and a prune in between`() async throws {
        let example = try Example()
        let digest = try example.undisturbed().digest
        let lichen = try LichenProgram()
        let base = try Bases.busybox()
        let pulled = try lichen.run(["pull", base]).required().text
            .filter { !$0.isNewline }
        // What has only a digest is in no list of images: a prune may take it, but not from a build.
        let repository = base.split(separator: ":").dropLast().joined(separator: ":")
        let nameless = try Example(on: "\(repository)@\(pulled)")
        try lichen.run(["rm", base]).required()
        let examples = [nameless, nameless, example]
        for round in examples.indices {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    let arguments = examples[round].arguments(try newName())
                    group.addTask {
                        let build = try await aside {
                            try lichen.command(arguments, Example.environment).run()
                        }
                        #expect(build.isSuccess, "\(build)")
                        #expect(build.text == digest)
                    }
                }
                for delay in [50, 200, 400, 800] {
                    group.addTask {
                        try await Task.sleep(for: .milliseconds(delay))
                        let prune = try await aside {
                            try lichen.command(["prune", "--all"]).run()
                        }
                        #expect(prune.isSuccess, "\(prune)")
                    }
                }
                try await group.waitForAll()
            }
            let check = try lichen.run(["store", "check"])
            #expect(check.isSuccess, "\(check)")
            #expect(lichen.work.isEmpty, "\(lichen.work)")
            try lichen.run(["prune", "--all"]).required()
            // Now that nobody is in, all trees have gone, with the files of subordinate ids in them.
            for map in try FileManager.default.contentsOfDirectory(atPath: lichen.store + "/trees")
            {
                let trees = try FileManager.default.contentsOfDirectory(
                    atPath: lichen.store + "/trees/" + map)
                #expect(trees.isEmpty)
            }
            #expect(lichen.work.isEmpty, "\(lichen.work)")
            #expect(
                try lichen.run(["prune", "--all", "--dry-run"]).required().text
                    .contains("would remove 0 blobs, 0 steps and 0 trees, 0 B"))
        }
    }

    @Test func `is made by eight builds that come first`() async throws {
        let folder = try BuildFolder("FROM scratch\nCOPY Dockerfile /\n")
        for _ in 0..<5 {
            let lichen = try LichenProgram()
            rmdir(lichen.store)
            try await concurrently(8, width: 8) { _ in
                let build = try lichen.build(folder, ["-t", "crowd:1"]).run()
                #expect(build.isSuccess, "\(build)")
            }
            #expect(try lichen.run(["store", "check"]).isSuccess)
        }
    }
}
