import TestSupport
import Testing

/// What a RUN saw: it wrote it into a file, and the file came out with the image.
struct Seen {
    /// All that was printed.
    var text: String
    var outcome: Command.Outcome

    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// The value of a line `name value`.
    subscript(name: String) -> String? {
        lines.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// All lines `name value`.
    var values: [String: String] {
        Dictionary(
            lines.map { line in
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { first, _ in first })
    }
}

/// Runs a shell script in a RUN of the base with the probe, and gives what it printed.
///
/// - Parameter before: Dockerfile lines before the RUN, such as USER.
func seen(
    inside script: String, before: String = "", _ arguments: [String] = [],
    environment: [String: String] = [:], with lichen: LichenProgram? = nil,
    around: [String] = []
) throws -> Seen {
    let lichen = try lichen ?? LichenProgram()
    let name = "\(try Bases.registry().host)/seen/\(UInt64.random(in: 0...UInt64.max)):1"
    let folder = try BuildFolder(
        """
        FROM \(Bases.probe())
        RUN mkdir -m 1777 /seen
        \(before)
        RUN <<END
        exec > /seen/out 2>&1
        \(script)
        true
        END
        """)
    var command = lichen.build(folder, ["-t", name, "--push"] + arguments, environment)
    command.arguments = around + command.arguments
    let outcome = try command.run().required()
    let image = try InspectedImage.pushed(name)
    let file = try #require(image.layers.last?.entry("seen/out"), "no output: \(outcome)")
    return Seen(text: InspectedImage.decoded(file.content), outcome: outcome)
}

/// A suite that needs sandboxes says so with this.
let needsSandboxes: Comment =
    "no subordinate ids, or docker-registry, umoci, skopeo, gcc are missing"
