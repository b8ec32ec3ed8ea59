import FoundationEssentials
import Linux
import SystemPackage
import TestSupport
import Testing

/// Steps under a supervisor, by the helper SupervisedStep, on a small tree of its own: busybox, probe and /data/file with an
/// owner's record.
final class SupervisedSteps: Sendable {
    private let directory: TemporaryDirectory
    private let map: [String]

    /// The attributes of /data/file.
    static let attributes = ["user.lichen.owner", "user.lichen.device", "user.plain"]

    init(singleID: Bool = false) throws {
        directory = try TemporaryDirectory()
        map = ["unshare", "--map-root-user"] + (singleID ? [] : ["--map-auto"]) + ["--mount"]
        var command = Command([
            "sh", "-euc",
            """
            umask 022
            mkdir -p tree/bin tree/etc tree/root tree/tmp tree/data
            chmod 1777 tree/tmp; chmod 777 tree/data
            cp "$(command -v busybox)" tree/bin/busybox
            for name in $(tree/bin/busybox --list); do test "$name" = busybox || ln -s busybox "tree/bin/$name"; done
            gcc -static -O1 -Wall -Wextra -Werror -o tree/bin/probe "\(TestHost.fixture("probe.c"))"
            gcc -static -O1 -Wall -Wextra -Werror -o tree/bin/netprobe "\(TestHost.fixture("netprobe.c"))"
            ln tree/bin/probe tree/bin/other-probe
            echo data > tree/data/file
            """,
        ])
        command.directory = directory.path
        try command.run().required()
        let file = try FileDescriptor.workingDirectory.open(
            directory.path("tree/data/file"), .readOnly, resolve: .system)
        for name in Self.attributes {
            try file.borrowed.setExtendedAttribute(name.utf8, Array("5:5".utf8))
        }
    }

    deinit { TestHost.remove(directory.path) }

    /// A step that has not been run; `around` stands before the helper, `place` makes its namespaces.
    func command(
        _ options: [String], _ words: [String], around: [String] = [], in place: [String]? = nil
    ) -> Command {
        // Each step has directories of its own.
        let base = directory.path("step-\(UInt64.random(in: 0...UInt64.max))")
        let script = "mkdir \"$0\" && ln -s ../tree \"$0/tree\" && exec \"$@\""
        let helper = LichenProgram.bundleFolder + "/SupervisedStep"
        return Command(
            (place ?? map) + ["sh", "-c", script, base] + around + [helper, base] + options + ["--"]
                + words)
    }

    func run(
        _ options: [String], _ words: [String], around: [String] = [], in place: [String]? = nil
    ) throws -> SupervisedSeen {
        let command = command(options, words, around: around, in: place)
        let base = command.arguments[command.arguments.firstIndex(of: "-c")! + 2]
        return SupervisedSeen(
            outcome: try command.run().required(), upper: base + "/upper-0")
    }

    var probe: String { directory.path("tree/bin/probe") }
    var netprobe: String { directory.path("tree/bin/netprobe") }
}

/// What a supervised step printed, and what is on record about it.
struct SupervisedSeen {
    var outcome: Command.Outcome
    /// What the step changed, on the host.
    var upper: String

    private var all: [String] { outcome.text.split(separator: "\n").map(String.init) }

    /// Lines of the command.
    var lines: [String] { all.filter { !$0.hasPrefix("result ") } }

    /// Values of a line of the command.
    subscript(name: String) -> String? {
        lines.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Lines of the helper that begin with `name`.
    func results(_ name: String) -> [String] {
        let prefix = "result \(name) "
        return all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    /// The names of the attributes of a changed file that are not overlay's.
    func attributes(of path: String) throws -> [String] {
        let file = try FileDescriptor.workingDirectory.open(
            upper + path, .readOnly, resolve: .system)
        return try file.borrowed.extendedAttributes().map {
            String(decoding: $0.name, as: UTF8.self)
        }
        .filter { !$0.hasPrefix("user.overlay.") }
    }
}
