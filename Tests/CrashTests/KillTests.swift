import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A build whose processes are killed` {
    private enum Victim: String, CaseIterable { case builder, worker, unpacker, `init`, command }

    /// How far a store gets before it is thrown away: kills, each followed by a build.
    private static let killsInAStore = 3

    @Test(.timeLimit(.minutes(120)))
    func `leaves nothing behind, and the next one is right`() async throws {
        let count = Int(setting("LICHEN_CRASHES", default: 300))
        let seed = setting("LICHEN_CRASH_SEED", default: 1)
        let example = try Example()
        let (digest, duration) = try example.undisturbed()
        let width = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 2
        // With several at once each takes longer.
        let longest = duration / 1000 * 1500
        let hits = Tally()
        try await concurrently(count / Self.killsInAStore, width: width) { index in
            var random = Instants(seed: seed &* 1000 &+ UInt64(index))
            let lichen = try LichenProgram()
            let name = try newName()
            for _ in 0..<Self.killsInAStore {
                let victim = random.pick(Victim.allCases)
                // A victim comes late and is there for a part of the time only.
                let share =
                    victim == .builder ? 1.0 : victim == .worker || victim == .unpacker ? 0.7 : 0.1
                let delay = random.below(Int(longest / .microseconds(1) * share))
                let hit = try kill(
                    victim, after: delay, lichen, example.arguments(name), seed: index)
                if hit { hits.add(victim.rawValue) }
            }
            // A prune, too, leaves a whole store wherever it ends.
            let delay = random.below(80_000)
            let words = ["prune", "--all"]
            if try kill(.builder, after: delay, lichen, words, seed: index) { hits.add("prune") }
            let next = try lichen.command(example.arguments(name), Example.environment).run()
            #expect(next.isSuccess, "store \(index): \(next)")
            #expect(next.text == digest, "store \(index): another image")
            let check = try lichen.command(["store", "check"]).run()
            #expect(check.isSuccess, "store \(index): \(check)")
        }
        print("killed: \(hits.description)")
        for victim in Victim.allCases.map(\.rawValue) + ["prune"] { #expect(hits[victim] > 0) }
    }

    /// Builds and kills; then looks at the store and at what is mounted. Whether there was anything to kill.
    private func kill(
        _ victim: Victim, after delay: Int, _ lichen: LichenProgram, _ arguments: [String],
        seed: Int
    ) throws -> Bool {
        var command = lichen.command(arguments, Example.environment)
        let program = try CrashProgram.path()
        command.arguments = [program, victim.rawValue, "\(delay)"] + command.arguments
        let killed = try command.run()
        let place: Comment = "store \(seed), \(victim.rawValue) after \(delay) µs: \(killed)"
        #expect(killed.isSuccess, "processes are left. \(place)")
        let check = try lichen.command(["store", "check"]).run()
        #expect(check.isSuccess, "\(check)\n\(place)")
        let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        #expect(!mounts.contains(lichen.store), place)
        return killed.text.contains("killed \(victim.rawValue)")
    }
}

/// Numbers that depend on a seed alone.
struct Instants {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return bound <= 0 ? 0 : Int((state >> 33) % UInt64(bound))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
