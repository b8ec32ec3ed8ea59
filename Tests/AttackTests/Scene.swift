import Attack
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

/// A suite of attacks says so with this.
let needsSandboxes: Comment =
    "no subordinate ids, or docker-registry, umoci, skopeo, gcc are missing"

/// One case of the corpus: the built program with a store of its own, the canary, and a directory for what attacks are made of.
final class Scene: Sendable {
    let lichen: LichenProgram
    let canary: Canary
    /// In the environment of all that the case starts, and in the command lines of what it tries to leave behind.
    let marker: String
    private let directory: TemporaryDirectory
    private let expected = Mutex<Set<String>>(["canary"])

    fileprivate init(_ id: String) throws {
        lichen = try LichenProgram()
        directory = try TemporaryDirectory()
        canary = try Canary(in: directory)
        marker = "\(id)-\(UInt32.random(in: 0 ... .max))"
    }

    deinit { TestHost.remove(directory.path) }

    /// A case without an attack, for the tests of the oracles themselves.
    static func forOracles() throws -> Scene { try Scene("oracle") }

    /// A path beside the canary that the case is going to use.
    func path(_ name: String) -> String {
        expected.withLock { _ = $0.insert(String(name.prefix { $0 != "/" })) }
        return directory.path(name)
    }

    /// What lies beside the canary, or beside store and home, and should not.
    var strays: [String] {
        let known = expected.withLock { $0 }
        let here = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let above = lichen.store.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let there = (try? FileManager.default.contentsOfDirectory(atPath: above)) ?? []
        return here.filter { !known.contains($0) }
            + there.filter { !["store", "home"].contains($0) && !$0.hasPrefix("lichen-test-") }
    }

    // MARK: - Builds

    /// `lichen ARGUMENTS`, with the marker.
    func command(_ arguments: [String], _ environment: [String: String] = [:]) -> Command {
        lichen.command(arguments, ["LICHEN_CASE": marker].merging(environment) { $1 })
    }

    /// A build of `dockerfile` in an empty context, or in the one that is given. `contexts` are named ones.
    func buildCommand(
        _ dockerfile: String, in context: BuildFolder? = nil, _ contexts: [String: String] = [:],
        _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) throws -> Command {
        let folder = try BuildFolder(dockerfile)
        var words = ["build", "--progress", "plain", "-f", folder.path + "/Dockerfile"]
        for (name, value) in contexts { words += ["--build-context", "\(name)=\(value)"] }
        var command = command(words + arguments + [(context ?? folder).path], environment)
        // Relative paths that a builder follows by mistake meet the canary.
        command.directory = directory.path
        kept.withLock { $0.append(folder) }
        return command
    }

    /// Contexts live as long as the case.
    private let kept = Mutex<[BuildFolder]>([])

    func build(
        _ dockerfile: String, in context: BuildFolder? = nil, _ contexts: [String: String] = [:],
        _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) throws -> Command.Outcome {
        let outcome = try buildCommand(dockerfile, in: context, contexts, arguments, environment)
            .run()
        expectSound(outcome)
        return outcome
    }

    /// Builds, and gives the files of the image as Python's tarfile reads them, lowest layer first, by name.
    func files(
        _ dockerfile: String, in context: BuildFolder? = nil, _ contexts: [String: String] = [:],
        _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) throws -> InspectedImage {
        let output = path("layout-\(UInt32.random(in: 0 ... .max))")
        try build(
            dockerfile, in: context, contexts,
            arguments + ["-t", "x:out", "-o", "type=oci,dest=\(output)"], environment
        ).required()
        return try InspectedImage.inLayout(output, "out")
    }

    /// What a RUN printed, on the base with the probe, and with the attacks as /bin/attack.
    func printed(
        _ script: String, before: String = "", _ contexts: [String: String] = [:],
        _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) throws -> String {
        let contexts = try contexts.merging(["tools": AttackProgram.directory()]) { $1 }
        let image = try files(
            """
            FROM \(Bases.probe())
            COPY --from=tools attack /bin/attack
            RUN mkdir -m 1777 /seen
            \(before)
            RUN <<END
            exec > /seen/out 2>&1
            \(script)
            true
            END
            """, contexts, arguments, environment)
        let file = try #require(image.layers.last?.entry("seen/out"))
        return InspectedImage.decoded(file.content)
    }

    /// The lines `name value` that a RUN printed.
    func answers(_ script: String, before: String = "", _ arguments: [String] = []) throws
        -> [String: String]
    {
        Expectation.answers(in: try printed(script, before: before, [:], arguments))
    }

    /// Carries out an attack of `lichen attack` in a RUN, judges it as that does, and gives the answers.
    @discardableResult
    func expectHeld(
        _ attack: AttackCase, before: String = "", _ arguments: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: String] {
        let script = "attack " + attack.words.joined(separator: " ")
        let inside = try answers(script, before: before, arguments)
        let breaches = attack.expectation.breaches(in: inside)
        #expect(breaches.new.isEmpty, sourceLocation: sourceLocation)
        #expect(
            breaches.known.count == attack.expectation.known.count,
            "what is mended goes from the list of the known", sourceLocation: sourceLocation)
        return inside
    }

    // MARK: - What every outcome has to be like

    /// No crash, no escape sequence, and no more work than it may cost: time is counted on a processor, of which other tests want
    /// their share.
    func expectSound(
        _ outcome: Command.Outcome, within limit: Duration = .seconds(40),
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.signal == nil, "\(outcome)", sourceLocation: sourceLocation)
        #expect(outcome.status != 70, "\(outcome)", sourceLocation: sourceLocation)
        for word in ["Fatal error", "Crash", "Assertion failed", "_StringGuts"] {
            #expect(!outcome.error.contains(word), "\(outcome)", sourceLocation: sourceLocation)
        }
        let raw = (outcome.output + Array(outcome.error.utf8)).filter(Self.isControl)
        #expect(raw.isEmpty, "control bytes \(raw)", sourceLocation: sourceLocation)
        #expect(outcome.processorTime < limit, "\(outcome)", sourceLocation: sourceLocation)
    }

    static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != 0x0a && byte != 0x09 || byte == 0x7f
    }

    /// A bad image or Dockerfile, and a step that could not go on with it.
    static let refused: Set<Int32> = [1, 65]

    /// Refused, in words that name what is wrong, and nothing is left that a later build could use.
    func expectRefusal(
        _ outcome: Command.Outcome, status: Set<Int32> = Scene.refused, _ words: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            outcome.status.map { status.contains($0) } == true, "\(outcome)",
            sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, "\(outcome)", sourceLocation: sourceLocation)
        let errors = outcome.error.split(separator: "\n").filter { $0.contains("rror: ") }
        #expect(errors.count == 1, "\(outcome)", sourceLocation: sourceLocation)
        for word in words {
            #expect(
                outcome.error.contains(word), "no \"\(word)\" in \(outcome)",
                sourceLocation: sourceLocation)
        }
        #expect(lichen.index.isEmpty, sourceLocation: sourceLocation)
        #expect(lichen.work.isEmpty, sourceLocation: sourceLocation)
    }

    /// The bytes of `text` are in no file of the store, and in nothing that was written beside the canary.
    func expectNowhere(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        // The layers that a build makes are packed; zgrep reads both.
        let script = """
            find "$2" "$3" -path "*/canary" -prune -o -type f -print0 2>/dev/null |
                xargs -0 -r zgrep -la -- "$1" 2>/dev/null; true
            """
        let found = try Command(["sh", "-c", script, "sh", text, lichen.store, directory.path])
            .run()
        #expect(found.text.isEmpty, "\(found.text)", sourceLocation: sourceLocation)
    }
}

/// Runs one case, and checks afterwards that it did no harm, whether it was refused or not.
///
/// - Parameter mayLeaveFiles: of a builder that was ended in the middle of a write: a file in the store's `work` is swept after an hour.
func attack(
    _ id: String, mayLeaveFiles: Bool = false, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Scene) throws -> Void
) throws {
    let scene = try Scene(id)
    let before = try Surroundings(scene)
    do { try body(scene) } catch {
        Issue.record(error, "\(id)", sourceLocation: sourceLocation)
    }
    var differences = try before.differences(scene)
    // A process on its way out may be seen for a moment longer than its parent.
    let end = ContinuousClock.now + .seconds(60)
    while !differences.isEmpty, ContinuousClock.now < end {
        usleep(20_000)
        differences = try before.differences(scene)
    }
    #expect(differences.isEmpty, "\(id)", sourceLocation: sourceLocation)
    let work = scene.lichen.work.filter { !(mayLeaveFiles && $0.contains("-")) }
    #expect(work.isEmpty, "\(id)", sourceLocation: sourceLocation)
    let check = try scene.lichen.run(["store", "check"])
    #expect(check.isSuccess, "\(id): \(check)", sourceLocation: sourceLocation)
}
