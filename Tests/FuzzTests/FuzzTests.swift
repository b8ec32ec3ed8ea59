import FuzzTargets
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// Bytes that a stranger sends, read by what reads them.
///
/// LICHEN_FUZZ_TARGET picks one reader, as `scripts/fuzz SECONDS TARGET` does.
@Suite(.serialized) struct `Bytes that nobody meant` {
    private static let names: [String] = {
        let wanted = getenv("LICHEN_FUZZ_TARGET").map { String(cString: $0) }
        return FuzzTarget.names.filter { wanted == nil || $0 == wanted }
    }()

    @Test(arguments: names)
    func `are read without a crash, a hang or a wrong answer`(name: String) async throws {
        let target = try #require(try FuzzTarget.named(name))
        let fuzzing = Fuzzing(
            seeds: target.seeds, fragments: target.fragments, seconds: 1, least: 20)
        let before = Self.residentMiB
        // Not on a thread of the tests' own: what is asked over the network needs those.
        let outcome = try await withCheckedThrowingContinuation { continuation in
            startThread { continuation.resume(with: Result { try fuzzing.run(target.exercise) }) }
        }
        #expect(outcome.rounds > 10)
        #expect(outcome.slowest < .seconds(60), "\(outcome.slowestInput.prefix(400))")
        let grown = Self.residentMiB - before
        #expect(grown < 512, "\(grown) MiB more than before")
        if getenv("LICHEN_FUZZ_SECONDS") != nil {
            print(
                "\(name): \(outcome.rounds) inputs in \(fuzzing.seconds) s, the slowest \(outcome.slowest), \(grown) MiB more"
            )
        }
    }

    private static var residentMiB: Int {
        let file = try? FileDescriptor.workingDirectory.open(
            "/proc/self/statm", .readOnly, resolve: .system)
        guard let file, let bytes = try? file.borrowed.readAll(limit: 256) else { return 0 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 / 1024 : 0
    }
}
