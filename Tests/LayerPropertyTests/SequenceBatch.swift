import FoundationEssentials
import TestSupport

/// Many sequences in one image, each in a directory of its own, and the same in a plain directory: the model.
final class SequenceBatch {
    private let sequences: [Sequence]
    private let directory: TemporaryDirectory
    private let lichen: LichenProgram

    struct Failure {
        var index: Int
        var differences: [String]
    }

    init(_ sequences: [Sequence]) throws {
        self.sequences = sequences
        directory = try TemporaryDirectory()
        lichen = try LichenProgram()
    }

    deinit { TestHost.remove(directory.path) }

    private var phaseCount: Int { sequences.map(\.phases.count).max() ?? 0 }

    static func name(_ index: Int) -> String { "s\(index)" }

    private func writeContext() throws {
        if FileManager.default.fileExists(atPath: directory.path("context")) { return }
        try FileManager.default.createDirectory(
            atPath: directory.path("context"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: FileOperations.program(), toPath: directory.path("context/fsops"))
        var dockerfile = "FROM scratch\nCOPY fsops script* /t/\n"
        for phase in 0..<phaseCount {
            var script = ""
            for (index, sequence) in sequences.enumerated() where phase < sequence.phases.count {
                script += "seq \(Self.name(index))\n"
                script += sequence.phases[phase].map { $0 + "\n" }.joined()
            }
            try directory.write("context/script\(phase)", script.utf8)
            dockerfile += "RUN [\"/t/fsops\", \"run\", \"/t/script\(phase)\", \"/p\"]\n"
        }
        try directory.write("context/Dockerfile", dockerfile.utf8)
    }

    /// The reader of the image that is compared with the model.
    enum Reader: String { case umoci, podman }

    /// Sequences whose image is not their model.
    func failures(readBy reader: Reader = .umoci) throws -> [Failure] {
        try writeContext()
        let output = "type=oci,tar=false,dest=" + directory.path("layout")
        try lichen.command([
            "build", "--progress", "plain", "-t", "property:image", "-o", output,
            directory.path("context"),
        ]).run().required()
        let image = try image(reader)
        let models = try (0..<phaseCount).map { phase in
            // A socket is in no layer: the RUN that comes next does not see it.
            let script = """
                context/fsops model "$PWD/context/script\(phase)" "$PWD/model"
                find model -type s -delete
                context/fsops list model
                """
            return try Listing(mapped(script, in: directory.path).required().text).byTopDirectory
        }
        let found = image.byTopDirectory
        return sequences.indices.compactMap { index in
            let name = Self.name(index)
            let before = models.dropLast().compactMap { $0[name] }
            let model = models.last?[name] ?? Listing("")
            let differences = model.differences(to: found[name] ?? Listing(""), before: before)
            return differences.isEmpty ? nil : Failure(index: index, differences: differences)
        }
    }

    /// Digests of the same image, built at once, and built in two goes with the trees of the first thrown away in between: its
    /// layers are then unpacked from their blobs.
    func digests() throws -> (atOnce: String, inTwoGoes: String) {
        try writeContext()
        let context = directory.path("context")
        let arguments = ["build", "--progress", "plain", context]
        let epoch = ["SOURCE_DATE_EPOCH": "1500000000"]
        let atOnce = try lichen.run(arguments, epoch).required().text
        let other = try LichenProgram()
        let whole = try String(contentsOfFile: context + "/Dockerfile", encoding: .utf8)
        let steps = whole.split(separator: "\n")
        for count in (steps.count - phaseCount + 1)...steps.count {
            let part = steps.prefix(count).joined(separator: "\n") + "\n"
            try directory.write("context/Dockerfile", part.utf8)
            let text = try other.run(arguments, epoch).required().text
            if count == steps.count { return (atOnce, text) }
            _ = try mapped("rm -r trees/*", in: other.store).required()
        }
        return (atOnce, "")
    }

    /// The digest of the image, built by another `lichen` with these arguments, too.
    func digest(_ arguments: [String]) throws -> String {
        try writeContext()
        return try LichenProgram().run(
            ["build", "--progress", "plain"] + arguments + [directory.path("context")],
            ["SOURCE_DATE_EPOCH": "1500000000"]
        ).required().text
    }

    private func image(_ reader: Reader) throws -> Listing {
        switch reader {
        case .umoci:
            let script = """
                umoci unpack --image layout:image bundle > umoci.log 2>&1 || { cat umoci.log; exit 1; }
                context/fsops list bundle/rootfs/p
                """
            return Listing(try mapped(script, in: directory.path).required().text)
        case .podman:
            // Podman makes the same map by itself.
            let script = """
                # Podman takes no longer path than 50 characters for what it runs with.
                run=$(mktemp -d /tmp/lp.XXXXXX); trap 'rm -rf $run' EXIT
                export options="--root $PWD/pods --runroot $run/p --storage-driver overlay \
                    --events-backend none --cgroup-manager cgroupfs"
                podman $options pull -q oci:layout:image > id
                podman unshare sh -euc 'mount=$(podman $options image mount "$(cat id)")
                    context/fsops list "$mount/p"
                    podman $options image umount -a > umounted'
                """
            var command = Command(["sh", "-euc", script])
            command.directory = directory.path
            command.environment = ["HOME": directory.path, "XDG_RUNTIME_DIR": directory.path]
            return Listing(try command.run().required().text)
        }
    }
}

/// Makes a failing sequence as short as it gets: operations are left out as long as it fails.
func shrink(_ sequence: Sequence, readBy reader: SequenceBatch.Reader) throws -> (
    sequence: Sequence, differences: [String]
) {
    var best = sequence
    var differences: [String] = []
    for _ in 0..<60 {
        // All ways to leave out one operation or a run of them, in one image.
        var candidates = [best]
        for (phase, operations) in best.phases.enumerated() {
            for length in [8, 3, 1] where length <= operations.count {
                for start in 0...(operations.count - length) {
                    var candidate = best
                    candidate.phases[phase].removeSubrange(start..<(start + length))
                    candidates.append(candidate)
                }
            }
        }
        let failures = try SequenceBatch(candidates).failures(readBy: reader)
        differences = failures.first { $0.index == 0 }?.differences ?? differences
        let failing = failures.map(\.index).filter { $0 > 0 }
        guard
            let next = failing.min(by: {
                candidates[$0].phases.joined().count < candidates[$1].phases.joined().count
            })
        else { break }
        best = candidates[next]
    }
    return (best, differences)
}
