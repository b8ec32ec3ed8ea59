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
            try expectEmptyAfterPrune(lichen)
        }
    }

    /// Prunes that come to their end while others build, in each round at least.
    private static let prunes = 4

    @Test(.timeLimit(.minutes(120)))
    func `serves 32 builds of several files, each as if it were alone`() async throws {
        let (width, rounds) = (32, setting("LICHEN_CRASH_CROWDS", default: 1))
        let folders = try (0..<4).map { try Self.folder($0) }
        let digests = try folders.map {
            try LichenProgram().build($0, [], Example.environment).run().required().text
        }
        #expect(Set(digests).count == folders.count)
        let (lichen, program) = (try LichenProgram(), try CrashProgram.path())
        for round in 0..<rounds {
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<width {
                    group.addTask {
                        let (folder, digest) = (folders[index % 4], digests[index % 4])
                        var command = lichen.build(
                            folder, ["-t", "crowd:\(index)"], Example.environment)
                        // Nobody is killed: it looks whether a process is left.
                        command.arguments = [program, "nobody", "0"] + command.arguments
                        // Whoever is done begins again until the prunes have come round: they wait for a processor as all do.
                        repeat {
                            let build = try await aside { [command] in try command.run() }
                            #expect(build.text == digest + "missed nobody 0 left 0\n", "\(build)")
                        } while tally["prunes"] < Self.prunes && !Task.isCancelled
                        tally.add("built")
                    }
                }
                group.addTask {
                    // As long as anybody builds, now gently, now with all that is not in use.
                    while tally["built"] < width {
                        let isThorough = tally["prunes"] % 2 == 0
                        let words =
                            isThorough ? ["prune", "--all"] : ["prune", "--keep-size", "1MB"]
                        let prune = try await aside { try lichen.run(words) }
                        #expect(prune.isSuccess, "\(prune)")
                        tally.add("prunes")
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
                try await group.waitForAll()
            }
            #expect(tally["prunes"] >= Self.prunes)
            // The base has a name, too.
            let names = try lichen.run(["images"]).required().text.split(separator: "\n")
            #expect(names.count { $0.contains("crowd:") } == width, "round \(round): \(names)")
            for index in 0..<width { try lichen.run(["rm", "crowd:\(index)"]).required() }
            try expectEmptyAfterPrune(lichen)
        }
    }

    /// Builds that share a base, a file and a step; each has steps of its own, and one stage of another's.
    private static func folder(_ index: Int) throws -> BuildFolder {
        try BuildFolder(
            """
            FROM \(Bases.busybox()) AS shared
            COPY words /words
            RUN sort /words > /sorted && mkdir /many && cd /many && touch a b c d e f && ln a g
            FROM shared AS own
            RUN echo \(index) > /own && rm /many/a
            FROM shared AS other
            RUN echo \((index + 1) % 4) > /own && rm /many/a
            FROM shared
            COPY --from=own /own /many /own/
            COPY --from=other /own /other
            COPY own\(index) /file
            RUN cat /file /words > /twice
            """,
            [
                "words": (0..<5000).map { "word \($0 &* 2_654_435_761)" }.joined(separator: "\n"),
                "own\(index)": "\(index)",
            ])
    }

    /// Nobody is in: all that is not named goes, with the files of subordinate ids.
    private func expectEmptyAfterPrune(_ lichen: LichenProgram) throws {
        let check = try lichen.run(["store", "check"])
        #expect(check.isSuccess, "\(check)")
        #expect(lichen.work.isEmpty, "\(lichen.work)")
        let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        #expect(!mounts.contains(lichen.store))
        try lichen.run(["prune", "--all"]).required()
        let files = FileManager.default
        for map in try files.contentsOfDirectory(atPath: lichen.store + "/trees") {
            let trees = try files.contentsOfDirectory(atPath: lichen.store + "/trees/" + map)
            #expect(trees.isEmpty)
        }
        #expect(try files.contentsOfDirectory(atPath: lichen.store + "/visits").isEmpty)
        #expect(lichen.work.isEmpty, "\(lichen.work)")
        #expect(
            try lichen.run(["prune", "--all", "--dry-run"]).required().text
                .contains("would remove 0 blobs, 0 steps and 0 trees, 0 B"))
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
