import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A command whose writes fail` {
    /// What writes elsewhere than a build's steps.
    enum Subject: String, CaseIterable { case outputs, pull, prune, tag, remove, login }

    /// Of `outputs`: names by the type of the output.
    private static let outputs = [
        ("oci", "layout.tar"), ("docker", "docker.tar"), ("tar", "files.tar"), ("oci", "layout"),
        ("local", "files"),
    ]

    private let folder: BuildFolder
    private let base: String

    init() throws {
        base = try Bases.busybox()
        folder = try BuildFolder(
            "FROM scratch\nCOPY . /x/\n",
            ["a": String(repeating: "a", count: 100_000), "d/b": "b", "d/e/c": "c"])
    }

    @Test(.timeLimit(.minutes(120)), arguments: Subject.allCases)
    func `leaves all or nothing behind`(subject: Subject) async throws {
        let program = try prepared(subject)
        let (whole, report) = try run(subject, program, .none)
        try whole.required()
        let expected = try state(subject, program)
        let faults = report.faults(FaultSettings.count, seed: FaultSettings.seed)
        let tally = Tally()
        try await concurrently(faults.count, width: FaultSettings.width) { index in
            tally.add(try check(subject, faults[index], expected))
        }
        print("faults in \(subject): \(tally.description)")
        #expect(tally["74"] > 0)
    }

    /// How it ended: its status, or `missed`.
    private func check(_ subject: Subject, _ fault: Fault, _ expected: [String]) throws -> String {
        let program = try prepared(subject)
        let before = try state(subject, program)
        let (outcome, report) = try run(subject, program, fault)
        let place: Comment = "\(subject), \(fault) at \(report.place): \(outcome)"
        // What couldn't be removed may lie there, by a name that nobody takes for a result.
        let isTidy = fault.kind != .remove
        #expect(outcome.isSuccess || (outcome.status == 74 && report.hits > 0), place)
        #expect(report.left == 0, place)
        let after = try state(subject, program)
        if outcome.isSuccess {
            #expect(after == expected || !isTidy, place)
        } else {
            expectReason(of: fault, in: outcome)
            // Each thing is as it was, or as it is to be. A prune may have got half its way.
            for line in after where isTidy && subject != .prune {
                #expect(before.contains(line) || expected.contains(line), "\(line)\n\(place)")
            }
        }
        // Trees that a prune has set aside go with the next one.
        #expect(!isTidy || subject == .prune || program.lichen.work.isEmpty, place)
        let store = try program.lichen.run(["store", "check"])
        #expect(store.isSuccess, "\(store)\n\(place)")
        // A name that is gone can't be removed once more.
        if !outcome.isSuccess, subject != .remove || after != expected {
            let again = try run(subject, program, .none).outcome
            #expect(again.isSuccess, "\(again)\nafter \(place)")
            #expect(try state(subject, program) == expected || !isTidy, "\(again)\nafter \(place)")
        }
        #expect(!isTidy || program.lichen.work.isEmpty, "\(program.lichen.work) \(place)")
        return report.hits == 0 ? "missed" : "\(outcome.status ?? -1)"
    }

    private func prepared(_ subject: Subject) throws -> FaultyProgram {
        let program = try FaultyProgram()
        let lichen = program.lichen
        switch subject {
        case .outputs, .pull: break
        case .prune:
            let steps = try BuildFolder("FROM \(base)\nRUN echo > /x\n")
            try lichen.build(steps).run().required()
        case .tag, .remove:
            try lichen.build(folder, ["-t", "faulty:1"], Example.environment).run().required()
        case .login:
            mkdir(lichen.home + "/.docker", 0o700)
            let config = #"{"auths": {"other.invalid": {"auth": "YTpi"}}, "kept": 1}"#
            try Data(config.utf8).write(to: URL(filePath: lichen.home + "/.docker/config.json"))
            try Data("secret\n".utf8).write(to: URL(filePath: lichen.home + "/password"))
        }
        return program
    }

    private func run(_ subject: Subject, _ program: FaultyProgram, _ fault: Fault) throws -> (
        outcome: Command.Outcome, report: FaultReport
    ) {
        let home = program.lichen.home
        let arguments =
            switch subject {
            case .outputs:
                ["build", "--progress", "plain", folder.path]
                    + Self.outputs.flatMap { ["-o", "type=\($0.0),dest=\(home)/\($0.1)"] }
            case .pull: ["pull", base]
            case .prune: ["prune", "--all"]
            case .tag: ["tag", "faulty:1", "faulty:2"]
            case .remove: ["rm", "faulty:1"]
            case .login: ["login", "-u", "me", "--password-stdin", try Bases.registry().host]
            }
        return try program.run(
            arguments, fault, Example.environment,
            input: subject == .login ? home + "/password" : nil)
    }

    /// What there is: a line for each thing, with what is in it.
    private func state(_ subject: Subject, _ program: FaultyProgram) throws -> [String] {
        let lichen = program.lichen
        switch subject {
        case .outputs:
            // Whatever begins with a dot counts, too.
            let script = """
                for name in $(ls -A); do
                    echo "$name $(cd "$name" 2>/dev/null && find . -type f -exec sha256sum {} + | sort ||
                        sha256sum "$name")" | tr '\\n' ' '
                    echo
                done
                """
            var command = Command(["sh", "-c", script])
            command.directory = lichen.home
            return try command.run().required().text.split(separator: "\n").map(String.init)
        case .login:
            let folder = lichen.home + "/.docker"
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
                try "\($0) " + String(contentsOfFile: folder + "/" + $0, encoding: .utf8)
            }
        case .prune:
            let plan = try lichen.run(["prune", "--all", "--dry-run"]).required()
            return [plan.text]
        case .pull, .tag, .remove:
            return try lichen.run(["images"]).required().text.split(separator: "\n").map {
                $0.split(separator: " ").joined(separator: " ")
            }
        }
    }
}
