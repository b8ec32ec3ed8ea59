import Attack
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport

/// The attacks of Sources/CAttack as a static program: it attacks from inside a RUN, and tells what came of it.
enum AttackProgram {
    private static let shared = Mutex<TemporaryDirectory?>(nil)

    /// The directory that holds it as `attack`, compiled when the first case asks, gone at the end.
    static func directory() throws -> String {
        try shared.withLock { shared in
            if let directory = shared { return directory.path }
            let directory = try TemporaryDirectory()
            let sources = TestHost.sources + "/Sources/CAttack"
            let names = try FileManager.default.contentsOfDirectory(atPath: sources)
            try Command(
                [
                    "gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-I",
                    sources + "/include", "-o", directory.path("attack"),
                    TestHost.fixture("attack.c"),
                ] + names.filter { $0.hasSuffix(".c") }.map { "\(sources)/\($0)" }
            ).run().required()
            shared = directory
            // A static value lives longer than the process can clean up after it.
            atexit { AttackProgram.shared.withLock { $0 = nil } }
            return directory.path
        }
    }

    /// What it says outside of any sandbox: whether the oracle can tell the difference.
    static func outside(_ arguments: [String]) throws -> [String: String] {
        Expectation.answers(
            in: try Command([directory() + "/attack"] + arguments).run().required().text)
    }
}
