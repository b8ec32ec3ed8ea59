import Glibc
import Synchronization
import TestSupport

/// Fixtures/attack.c as a static program: it attacks from inside a RUN, and tells what came of it.
enum AttackProgram {
    private static let shared = Mutex<TemporaryDirectory?>(nil)

    /// The directory that holds it as `attack`, compiled when the first case asks, gone at the end.
    static func directory() throws -> String {
        try shared.withLock { shared in
            if let directory = shared { return directory.path }
            let directory = try TemporaryDirectory()
            try Command([
                "gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
                directory.path("attack"), TestHost.fixture("attack.c"),
            ]).run().required()
            shared = directory
            // A static value lives longer than the process can clean up after it.
            atexit { AttackProgram.shared.withLock { $0 = nil } }
            return directory.path
        }
    }

    /// What it says outside of any sandbox: whether the oracle can tell the difference.
    static func outside(_ arguments: [String]) throws -> [String: String] {
        answers(in: try Command([directory() + "/attack"] + arguments).run().required().text)
    }

    /// Lines `name value`.
    static func answers(in text: String) -> [String: String] {
        Dictionary(
            text.split(separator: "\n").map { line in
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { first, _ in first })
    }
}
