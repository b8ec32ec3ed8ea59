import Glibc
import TestSupport
import Testing

@testable import Doctor

@Suite(.enabled(if: TestHost.allowsSandboxes))
struct `lichen doctor` {
    @Test func `finds what the tests of sandboxes need`() throws {
        let lichen = try LichenProgram()
        let (report, outcome) = try Report.of(lichen)
        #expect(outcome.status == 0)
        #expect(report.version == 1)
        #expect(report.verdict.mode == Verdict.Mode.subordinate.rawValue && report.verdict.run)
        #expect(report.verdict.missing.isEmpty)
        #expect(report.facts.map(\.name) == FactCatalog.names)
        for name in Verdict.needed + ["idmap.range", "subuid"] {
            #expect(report[name]?.state == "good", "\(report[name].map { "\($0)" } ?? name)")
        }
        let unknown = report.facts.filter { $0.state == "unknown" }
        #expect(unknown.isEmpty, "\(unknown)")
    }

    @Test func `leaves nothing behind`() throws {
        let lichen = try LichenProgram()
        _ = try Report.of(lichen)
        let work = lichen.store + "/work"
        try #require(mkdir(work, 0o700) == 0)
        _ = try Report.of(lichen)
        for path in [lichen.store, work, lichen.home] {
            let left = try Command(["find", path, "-name", ".lichen-doctor*"]).run().required().text
            #expect(left.isEmpty, "\(left)")
        }
    }

    @Test func `takes less than a second`() throws {
        let lichen = try LichenProgram()
        var times: [Duration] = []
        // A tenth of it where nobody else works; at some time of a busy day, too.
        while times.count < 30, (times.min() ?? .seconds(1)) >= .seconds(1) {
            times.append(try Report.of(lichen).outcome.duration)
        }
        #expect(times.min()! < .seconds(1), "\(times)")
    }

    @Test(arguments: [[], ["--verbose"]])
    func `fits into 80 columns, but for words that are longer`(flags: [String]) throws {
        let outcome = try LichenProgram().run(["doctor"] + flags).required()
        let lines = outcome.text.split(separator: "\n")
        for line in lines where line.split(separator: " ").allSatisfy({ $0.count < 60 }) {
            #expect(line.count <= 80, "\(line)")
        }
        for group in FactGroup.allCases { #expect(lines.contains { $0 == group.title }) }
        for name in FactCatalog.names { #expect(outcome.text.contains(" \(name) "), "\(name)") }
        #expect(outcome.text.contains("RUN here: userns with subordinate ids"))
    }

    @Test func `says no word of what is in a Docker config`() throws {
        let lichen = try LichenProgram()
        try #require(mkdir(lichen.home + "/.docker", 0o700) == 0)
        try Command(
            [
                "sh", "-c",
                "echo '{\"auths\":{\"h\":{\"auth\":\"c2VjcmV0\"}}}' > $HOME/.docker/config.json",
            ].withHome(lichen.home)
        ).run().required()
        let (report, outcome) = try Report.of(
            lichen, [], ["HTTPS_PROXY": "http://me:word@proxy.example"])
        #expect(report["docker.config"]?.value == "yes")
        #expect(report["proxy"]?.value == "yes")
        #expect(!outcome.text.contains("c2VjcmV0") && !outcome.text.contains("word@"))
    }

    @Test func `refuses a store that is open to others`() throws {
        let lichen = try LichenProgram()
        try #require(chmod(lichen.store, 0o755) == 0)
        let (report, outcome) = try Report.of(lichen)
        #expect(outcome.status == 71)
        #expect(report.verdict.missing == ["store.mode"])
        #expect(report["store.mode"]?.value == "755")
        #expect(report.verdict.advice?.change == "chmod 700 \(lichen.store)")
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes))
struct `A build that requires facts` {
    private func build(_ list: String) throws -> (Command.Outcome, LichenProgram) {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM scratch\nCOPY file /\n", ["file": "text"])
        return (try lichen.build(folder, ["--require", list]).run(), lichen)
    }

    @Test func `goes on where they hold`() throws {
        let (outcome, _) = try build("userns,pidns,landlock>=1,kernel>=5.12,idmap.range=yes")
        #expect(outcome.isSuccess, "\(outcome)")
    }

    @Test func `fails before anything runs where one doesn't`() throws {
        let (outcome, lichen) = try build("userns,landlock>=999")
        #expect(outcome.status == 71)
        #expect(outcome.error.hasPrefix("error: --require landlock>=999: landlock is "))
        #expect(lichen.index.isEmpty && lichen.work.isEmpty)
    }

    @Test func `says what to do about it`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM scratch\n")
        var command = lichen.build(folder, ["--require", "landlock"])
        command.arguments = [try Deny.path(), "landlock_*=ENOSYS", "--"] + command.arguments
        let outcome = try command.run()
        #expect(outcome.status == 71)
        #expect(outcome.error.contains("landlock is 0 (landlock_create_ruleset: "))
        #expect(outcome.error.contains("hint: Linux 5.13 or newer"))
    }

    @Test func `names the near facts where there is none of that name`() throws {
        let (outcome, _) = try build("usernss")
        #expect(outcome.status == 64)
        #expect(outcome.error.contains("there is no fact usernss; did you mean userns"))
    }
}

extension [String] {
    /// The same words with HOME set for them.
    func withHome(_ home: String) -> [String] { ["env", "HOME=\(home)"] + self }
}
