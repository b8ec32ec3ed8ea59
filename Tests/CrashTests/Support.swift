import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

let needsJudges: Comment = "no subordinate ids, or docker-registry, skopeo, gcc are missing"

/// A number from the environment: longer runs and other seeds than CI's.
func setting(_ name: String, default value: UInt64) -> UInt64 {
    getenv(name).flatMap { UInt64(String(cString: $0)) } ?? value
}

/// Fixtures/crash.c, built once.
enum CrashProgram {
    private static let built = Mutex<TemporaryDirectory?>(nil)

    static func path() throws -> String {
        try built.withLock { built in
            if let built { return built.path("crash") }
            let directory = try TemporaryDirectory()
            try Command([
                "gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", directory.path("crash"),
                TestHost.fixture("crash.c"),
            ]).run().required()
            built = directory
            return directory.path("crash")
        }
    }
}

/// A build that goes through all that can be killed: pull, unpack, RUN, diff, pack, push.
struct Example: Sendable {
    let folder: BuildFolder
    static let environment = ["SOURCE_DATE_EPOCH": "1500000000"]

    /// - Parameter base: the same image by another name; busybox by its tag without it.
    init(on base: String? = nil) throws {
        let base = try base ?? Bases.busybox()
        folder = try BuildFolder(
            """
            FROM \(base)
            COPY words /words
            RUN i=0; while [ $i -lt 40 ]; do echo $i > /f$i; i=$((i+1)); done; ln /f1 /g; mkdir /d
            RUN rm /f1*; mv /f2* /d; chmod 600 /f3; cat /words /words > /twice
            COPY --from=\(base) /etc /more
            RUN rm -r /more && mkdir /more && echo > /more/x
            """,
            ["words": (0..<20_000).map { "word \($0 &* 2_654_435_761)" }.joined(separator: "\n")])
    }

    /// Arguments that build it and push it under a name of its own.
    func arguments(_ name: String) -> [String] {
        ["build", "--progress", "plain", "-t", name, "--push", folder.path]
    }

    /// The digest of an undisturbed build, and how long it took.
    func undisturbed() throws -> (digest: String, duration: Duration) {
        let outcome = try LichenProgram().run(arguments(try newName()), Self.environment)
            .required()
        return (outcome.text, outcome.duration)
    }
}

/// A name in the shared registry that no other test uses.
func newName() throws -> String {
    "\(try Bases.registry().host)/crash/\(UInt64.random(in: 0...UInt64.max)):1"
}

/// Counts, among threads.
final class Tally: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// One more of these; gives how many there were before.
    @discardableResult
    func add(_ name: String) -> Int {
        counts.withLock { counts in
            defer { counts[name, default: 0] += 1 }
            return counts[name, default: 0]
        }
    }

    subscript(name: String) -> Int { counts.withLock { $0[name, default: 0] } }
    var description: String { counts.withLock { "\($0.sorted { $0.key < $1.key })" } }
}

/// Runs `body` for each number below `count`, some at once, on threads that wait most of the time.
func concurrently(
    _ count: Int, width: Int, _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
    let tally = Tally()
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<width {
            group.addTask {
                try await aside {
                    var index = tally.add("next")
                    while index < count {
                        try body(index)
                        index = tally.add("next")
                    }
                }
            }
        }
        try await group.waitForAll()
    }
}
