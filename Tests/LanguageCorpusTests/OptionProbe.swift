import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// One option of one command: the same input with it and without it, which must not end the same.
///
/// In words and Dockerfiles OUT is a directory for results, CTX the context, REGISTRY a registry, SOCKET an agent's; BASE is
/// the name of an image with a shell.
struct OptionProbe: Sendable, CustomTestStringConvertible {
    /// `build`, `store check`.
    var command: String
    /// Its names without dashes, as the parser lists them: `f/file`.
    var option: String
    var dockerfile: String
    /// What both runs have.
    var common: [String]
    var with: [String]
    /// In place of `with`, where it takes another value to show a difference.
    var without: [String] = []
    /// Commands that come before, in each run.
    var before: [[String]] = []
    /// Commands whose output is part of what comes out.
    var after: [[String]] = []

    var testDescription: String { "\(command) \(with.joined(separator: " "))" }

    init(
        _ command: String, _ option: String, on dockerfile: String = "FROM scratch\nLABEL a=b\n",
        common: [String]? = nil, _ with: String..., without: [String] = [],
        before: [[String]] = [], after: [[String]] = []
    ) {
        self.command = command
        self.option = option
        self.dockerfile = dockerfile
        self.common = common ?? (["build", "plan", "lint"].contains(command) ? ["CTX"] : [])
        self.with = with
        self.without = without
        self.before = before
        self.after = after
    }
}

/// Everything that a run leaves for others to see, without what differs from run to run.
struct ProbeOutcome: Equatable, CustomStringConvertible {
    var status: Int32?
    var text: String
    var files: [String]

    var description: String { "status \(status ?? -1), files \(files)\n\(text)" }
}

extension OptionProbe {
    /// Runs it in a store, a context and a directory of its own.
    func run(isWith: Bool) throws -> ProbeOutcome {
        let lichen = try LichenProgram()
        let place = try TemporaryDirectory()
        let context = try BuildFolder(
            try filled(dockerfile, place, ""),
            [
                "f": "F", "other": "FROM scratch\nENV O 1\n",
                "child": "FROM localhost/a:1\nLABEL x=$A\n",
            ])
        try FileManager.default.createDirectory(
            atPath: place.path("out"), withIntermediateDirectories: false)
        let agent = try AgentSocket(at: place.path("agent"))
        defer { withExtendedLifetime(agent) {} }
        // Of this run alone: what another has sent is not sent again.
        let repository = "walk\(UInt32.random(in: 1_000_000...9_999_999))"
        func ended(_ words: [String]) throws -> Command.Outcome {
            let words = try words.map {
                try filled($0, place, context.path).replacing("REPOSITORY", with: repository)
            }
            var command = lichen.command(
                words,
                ["SSH_AUTH_SOCK": place.path("agent"), "WORD": "w", "SOURCE_DATE_EPOCH": "1"])
            command.input = try place.write("input", "password\n".utf8)
            return try command.run()
        }
        for words in before { _ = try ended(words).required() }
        let words = command.split(separator: " ").map(String.init)
        var outcome = try ended(words + (isWith ? with : without) + common)
        // A doctor's probe that is late on a busy machine comes in time another time.
        for _ in 0..<4 where outcome.text.contains("no answer in") {
            outcome = try ended(words + (isWith ? with : without) + common)
        }
        var text = outcome.text + "\n" + outcome.error
        for words in after { text += try ended(words).text }
        let files = try FileManager.default.contentsOfDirectory(atPath: place.path("out"))
        let hidden = [place.path, context.path, lichen.store, lichen.home, repository]
        return ProbeOutcome(
            status: outcome.status, text: Self.settled(text, hidden), files: files.sorted())
    }

    private func filled(_ text: String, _ place: TemporaryDirectory, _ context: String) throws
        -> String
    {
        var text = text.replacing("OUT", with: place.path("out")).replacing("CTX", with: context)
            .replacing("SOCKET", with: place.path("agent"))
        if text.contains("BASE") { text = text.replacing("BASE", with: try Bases.busybox()) }
        if text.contains("REGISTRY") {
            text = text.replacing("REGISTRY", with: try Bases.registry().host)
        }
        return text
    }

    /// Without times, sizes of memory and places.
    private static func settled(_ text: String, _ places: [String]) -> String {
        var text = text
        for (index, place) in places.enumerated() {
            text = text.replacing(place, with: "PLACE\(index)")
        }
        text = text.replacing(/[0-9]+(\.[0-9]+)?(s|ms)\b/, with: "TIME")
        text = text.replacing(/[0-9]+(\.[0-9]+)? [kMG]?B\b/, with: "SIZE")
        text = text.replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/, with: "DATE")
        text = text.replacing(/"value" : "[0-9]+"/, with: "NUMBER")
        text = text.replacing(/"seconds":[0-9.e-]+/, with: "SECONDS")
        // What is done at the same time is told in any order.
        return text.split(separator: "\n").sorted().joined(separator: "\n")
    }
}

/// A socket that somebody listens at.
private final class AgentSocket {
    private let listener: CInt

    init(at path: String) throws {
        listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let error = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard listener >= 0, error == 0 else { throw TestSupportError("bind \(path)") }
    }

    deinit { close(listener) }
}
