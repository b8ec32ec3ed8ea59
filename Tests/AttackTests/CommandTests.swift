import Attack
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `lichen attack`, which a user runs: the attacks of this suite that need nothing but the program.
@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `lichen attack` {
    private struct Document: Decodable {
        struct Case: Decodable {
            var id, attempt, verdict: String
            var details: [String]
        }
        var version, held, broken, notTried: Int
        var cases: [Case]
    }

    @Test func `says that all held, and leaves nothing`() throws {
        try attack("command") { scene in
            let outcome = try scene.command(["attack"]).run()
            scene.expectSound(outcome)
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.text.split(separator: "\n")
            #expect(lines.last?.contains(" held, 0 broken, ") == true, "\(outcome)")
            let held = lines.filter { $0.hasPrefix("held ") }
            for id in ["S01", "S07", "S11 S12", "K01 K08", "K02", "K03", "L04", "X05"] {
                let isThere = held.contains { $0.dropFirst(10).hasPrefix(id + " ") }
                #expect(isThere, "\(id) in \(outcome)")
            }
            for place in [scene.lichen.store, scene.lichen.home] {
                #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
            }
        }
    }

    @Test func `says the same as JSON, in a store that is there`() throws {
        try attack("command-json") { scene in
            try scene.build("FROM scratch\nLABEL a=b\n").required()
            let outcome = try scene.command(["attack", "--json"]).run().required()
            let document = try JSONDecoder().decode(Document.self, from: Data(outcome.output))
            #expect(document.version == 1)
            #expect(document.broken == 0)
            #expect(document.held + document.notTried == document.cases.count)
            #expect(document.held >= 25, "\(outcome)")
            #expect(document.cases.allSatisfy { !$0.id.isEmpty && !$0.attempt.isEmpty })
        }
    }

    @Test func `says why it can try nothing`() throws {
        let scene = try Scene.forOracles()
        let outcome = try scene.command(["attack", "--root", "/proc/lichen"]).run()
        #expect(outcome.status == 74, "\(outcome)")
        #expect(outcome.error.contains("--root"), "\(outcome)")
    }

    /// What the judges have to say where there is no sandbox at all. Each of these is safe to carry out as a user.
    @Test(arguments: [
        AttackCase.calls, .mounts, .foreign, .namespaces, .personality, .hidden, .environment,
        .identity(isRoot: true), .identity(isRoot: false),
    ])
    func `sees that there is no sandbox`(attack: AttackCase) throws {
        #if !arch(x86_64)
            // There is no other machine's call to make.
            if attack.id == AttackCase.foreign.id { return }
        #endif
        let outside = try AttackProgram.outside(attack.words)
        #expect(!attack.expectation.breaches(in: outside).new.isEmpty, "\(attack.attempt)")
    }

    @Test func `judges each answer by the rule that fits best`() {
        let expectation = Expectation(
            ["*": ["EPERM"], "open*": ["ENOENT"], "open-own": ["ok"]], atLeast: 3,
            known: ["open-known": "known"])
        let good = ["open-own": "ok", "open-other": "ENOENT", "mount": "EPERM"]
        #expect(expectation.breaches(in: good).new.isEmpty)
        #expect(expectation.breaches(in: ["mount": "EPERM"]).new == ["1 answers of at least 3"])
        let bad = good.merging(["open-other": "ok", "open-known": "ok", "x": "ENOSYS"]) { $1 }
        #expect(expectation.breaches(in: bad).new == ["open-other ok", "x ENOSYS"])
        #expect(expectation.breaches(in: bad).known == ["open-known: known"])
        #expect(Expectation(["x": .not("y")]).breaches(in: ["x": "y"]).new == ["x y"])
    }

    /// What scripts/weaken switches off is not there to be switched off in a program that people use.
    @Test func `can't be told to leave a defence out`() throws {
        let outcome = try Command(["grep", "-c", "LICHEN_WEAKEN", LichenProgram.binary]).run()
        #expect(outcome.status == 1, "\(outcome)")
        // The search finds a word that is there.
        try Command(["grep", "-c", "LICHEN_ROOT", LichenProgram.binary]).run().required()
    }
}
