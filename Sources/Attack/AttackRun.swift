import Build
import FoundationEssentials
import Linux
import Store
import SystemPackage

/// Attacks the sandbox of this place from within: builds an image whose steps are the attacks, as any user's build would.
///
/// The image is this program and its libraries alone, so nothing is downloaded. The store is one of its own.
public struct AttackRun: Sendable {
    private let parent: String

    /// - Parameter parent: a directory in which one for this run is made, and removed again.
    public init(in parent: String) { self.parent = parent }

    /// The user of the attacks that are not root's.
    private static let otherUser = "1000"

    /// - Throws: `BuildError` where nothing can be tried; `CancellationError`.
    public func report() async throws -> AttackReport {
        let name = ".lichen-attack-\(randomName())"
        let path = "\(parent)/\(name)"
        let above = try step("open \(parent)") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(
                parent, [.readOnly, .directory], resolve: .system)
        }
        let directory = try step("make \(path)") { () throws(Errno) in
            try above.borrowed.makeDirectory(name.utf8, mode: 0o700)
            return try above.borrowed.open(name, [.readOnly, .directory])
        }
        // What can't be removed because it belongs to a subordinate id is swept by a later build.
        defer { try? removeTree(name.utf8, in: above.borrowed) }
        let targets = try step("make what is attacked") { () throws(Errno) in
            try Targets(in: directory.borrowed, path: path)
        }
        try fill(directory.borrowed)
        let record = Record()
        let cases = AttackCase.all(targets)
        try await build(cases.filter { $0.obstacle == nil }, below: path, record)
        return judge(cases, targets, directory.borrowed, record)
    }

    /// The build context: our own files, and a directory for everybody, as images have it.
    private func fill(_ directory: FileDescriptor) throws {
        let root = try step("make a build context") { () throws(Errno) in
            try directory.makeDirectory("context".utf8, mode: 0o755)
            let root = try directory.open("context", [.readOnly, .directory])
            try root.borrowed.makeDirectory("tmp".utf8, mode: 0o777)
            try root.borrowed.setPermissions("tmp".utf8, 0o1777)
            return root
        }
        do throws(SystemError) { try OwnFiles().copy(into: root.borrowed) } catch {
            throw BuildError(.storage, error.description)
        }
    }

    private func step<Value: ~Copyable>(
        _ words: String, _ body: () throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        do throws(Errno) { return try body() } catch {
            throw BuildError(
                .storage, "\(words): \(error.inWords)",
                hint: "name a directory where you may write with --root")
        }
    }

    // MARK: - Builds

    /// Builds a step for each attack. One that ends its step early ends the build: the rest comes in another one.
    private func build(_ cases: [AttackCase], below path: String, _ record: Record) async throws {
        let builder = Builder(store: try Store(path: path + "/store"), observer: record.take)
        // Root's first: whoever has another USER can't go back to it.
        var pending = cases.filter { !$0.isOtherUser } + cases.filter(\.isOtherUser)
        while !pending.isEmpty {
            let file = AttackDockerfile(pending, otherUser: Self.otherUser)
            var request = BuildRequest(context: .directory(path + "/context"))
            request.dockerfileText = file.text
            record.begin(file)
            do {
                _ = try await builder.build(request)
                return
            } catch let error as BuildError {
                guard let failed = record.fail(error) else { throw error }
                pending.removeFirst(failed + 1)
            }
        }
    }

    private func judge(
        _ cases: [AttackCase], _ targets: Targets, _ directory: FileDescriptor, _ record: Record
    ) -> AttackReport {
        let remains = targets.endRemains()
        let results = cases.map { attack in
            let harm =
                switch attack.words[0] {
                case "daemons": remains
                case "exe": targets.harmToProgram()
                case "host-file": targets.harmToFile(in: directory)
                case "host-process": targets.harmToProcess()
                default: [String]()
                }
            let (text, failure) = record.outcome(of: attack)
            return attack.result(text, failure: failure, harm: harm)
        }
        return AttackReport(results: results, remarks: record.remarks)
    }
}

/// One step for each attack, and the line that each is in.
struct AttackDockerfile {
    let text: [UInt8]
    /// By the number of their line.
    let cases: [Int: AttackCase]

    init(_ attacks: [AttackCase], otherUser: String) {
        var lines = [
            "FROM scratch", "COPY . /", "ENV LD_LIBRARY_PATH=/\(OwnFiles.libraries)",
        ]
        var cases: [Int: AttackCase] = [:]
        var isOtherUser = false
        for attack in attacks {
            if attack.isOtherUser && !isOtherUser {
                lines.append("USER \(otherUser)")
                isOtherUser = true
            }
            let words = ["/" + OwnFiles.program, AttackProgram.argument] + attack.words
            lines.append("RUN [\(words.map(Self.quoted).joined(separator: ", "))]")
            cases[lines.count] = attack
        }
        text = Array((lines.joined(separator: "\n") + "\n").utf8)
        self.cases = cases
    }

    private static func quoted(_ word: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // A string can always be written as JSON.
        return (try? encoder.encode(word)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
