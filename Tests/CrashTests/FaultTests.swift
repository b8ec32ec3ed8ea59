import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// How many faults there are, and how many run at once.
enum FaultSettings {
    /// Calls of each kind that fail, one after another.
    static let count = Int(setting("LICHEN_CRASH_FAULTS", default: 1))
    static let seed = setting("LICHEN_CRASH_SEED", default: 1)
    static let width = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 3 / 2
}

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A build whose writes fail` {
    private let folder: BuildFolder

    init() throws {
        let base = try Bases.busybox()
        folder = try BuildFolder(
            """
            FROM \(base) AS made
            COPY words /words
            RUN mkdir /d && echo > /d/x && ln /d/x /d/y && ln -s x /d/z && mkfifo /d/p && chown 7:8 /d/x
            FROM scratch
            COPY --from=made /d /d
            COPY --from=\(base) /bin/busybox /bin/sh
            RUN echo > /made
            """, ["words": (0..<2000).map { "word \($0)" }.joined(separator: "\n")])
    }

    @Test(.timeLimit(.minutes(120)))
    func `ends with 74, leaves nothing half made, and the next one is right`() async throws {
        let program = try FaultyProgram()
        let (counted, report) = try program.run(arguments(program), .none, Example.environment)
        let digest = try counted.required().text
        for role in Fault.Role.allCases where role != .step {
            #expect((report.calls[role]?.count ?? 0) > 8, "\(report)")
        }
        let faults = report.faults(FaultSettings.count, seed: FaultSettings.seed)
        let tally = Tally()
        try await concurrently(faults.count, width: FaultSettings.width) { index in
            tally.add(try build(under: faults[index], digest))
        }
        print("faults in builds: \(tally.description)")
        #expect(tally["74"] > faults.count / 3)
    }

    /// Near the end of a disk a write may do less than it was asked for.
    @Test(arguments: [Fault.Role.builder, .worker, .unpacker])
    func `goes on where a write wrote half`(role: Fault.Role) throws {
        let program = try FaultyProgram()
        let whole = try program.lichen.run(arguments(program), Example.environment).required()
        try program.lichen.run(["rm", "faulty:1"]).required()
        try program.lichen.run(["prune", "--all"]).required()
        let fault = Fault(role: role, kind: .write, nth: 1, manner: .short)
        let (build, report) = try program.run(arguments(program), fault, Example.environment)
        #expect(build.isSuccess && build.text == whole.text, "\(build)")
        #expect(report.hits > 10)
        isWhole(program.lichen, "\(build)")
    }

    private func arguments(_ program: FaultyProgram) -> [String] {
        let home = program.lichen.home
        return [
            "build", "--progress", "plain", "-t", "faulty:1", "--iidfile", home + "/id",
            "--metadata-file", home + "/metadata", folder.path,
        ]
    }

    /// How it ended: its status, or `missed`.
    private func build(under fault: Fault, _ digest: String) throws -> String {
        let program = try FaultyProgram()
        let lichen = program.lichen
        let arguments = arguments(program)
        let (build, report) = try program.run(arguments, fault, Example.environment)
        let place: Comment = "\(fault) at \(report.place): \(build)"
        // What only makes builds faster may be lost without a word.
        #expect(build.isSuccess || (build.status == 74 && report.hits > 0), place)
        if build.isSuccess {
            #expect(build.text == digest, place)
        } else {
            expectReason(of: fault, in: build)
        }
        #expect(report.left == 0, place)
        try expectWholeResults(in: lichen.home, fault, place)
        if fault.kind != .remove { #expect(lichen.work.isEmpty, "\(lichen.work) \(place)") }
        isWhole(lichen, place)
        let next = try lichen.run(arguments, Example.environment)
        #expect(next.isSuccess && next.text == digest, "\(next)\nafter \(place)")
        isWhole(lichen, place)
        if fault.kind == .remove {
            // What could not be removed is swept up by the next one that makes a worker.
            try lichen.run(["prune", "--all"]).required()
            #expect(lichen.work.isEmpty, "\(lichen.work) \(place)")
        }
        return report.hits == 0 ? "missed" : "\(build.status ?? -1)"
    }

    /// Each file is whole or not there; where removing is what failed, one by another name may be left.
    private func expectWholeResults(in home: String, _ fault: Fault, _ place: Comment) throws {
        let shortest = ["id": 70, "metadata": 300]
        for name in try FileManager.default.contentsOfDirectory(atPath: home) {
            #expect(shortest[name] != nil || fault.kind == .remove, "\(name) is left; \(place)")
            let size = try Data(contentsOf: URL(filePath: home + "/" + name)).count
            #expect(size > shortest[name, default: -1], place)
        }
    }

    private func isWhole(_ lichen: LichenProgram, _ place: Comment) {
        do {
            let check = try lichen.run(["store", "check"])
            #expect(check.isSuccess, "\(check)\n\(place)")
            let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
            #expect(!mounts.contains(lichen.store), place)
        } catch { Issue.record(error) }
    }
}

/// The error names a call or a file, and says why it failed.
func expectReason(of fault: Fault, in outcome: Command.Outcome) {
    let line = outcome.error.split(separator: "\n").first { $0.hasPrefix("error: ") } ?? ""
    let words = fault.error == ENOSPC ? "no space left on device" : "input/output error"
    #expect(line.contains(words) && line.count > words.count + 10, "\(fault): \(outcome)")
}
