import FoundationEssentials
import Synchronization
import TestSupport

/// The static program that changes and lists files, built once.
enum FileOperations {
    private static let built = Mutex<TemporaryDirectory?>(nil)

    static func program() throws -> String {
        try built.withLock { built in
            if let built { return built.path("fsops") }
            let directory = try TemporaryDirectory()
            try Command([
                "gcc", "-static", "-O1", "-Wall", "-Wextra", "-Wno-unused-result", "-Werror", "-o",
                directory.path("fsops"), TestHost.fixture("fsops.c"), TestHost.fixture("fslist.c"),
            ]).run().required()
            built = directory
            return directory.path("fsops")
        }
    }
}

/// A directory tree as fslist.c prints it: a line for each path.
struct Listing {
    var lines: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            lines[String(fields[0])] = fields.count == 2 ? String(fields[1]) : ""
        }
    }

    /// The listing of each directory right below the root, by its name.
    var byTopDirectory: [String: Listing] {
        var result: [String: Listing] = [:]
        for (path, line) in lines where path.utf8.count > 1 {
            let top = String(path.dropFirst().prefix { $0 != "/" })
            result[top, default: Listing("")].lines[path] = line
        }
        return result
    }

    private func part(_ path: String) -> (file: Substring, group: Substring)? {
        guard let line = lines[path], let at = line.lastIndex(of: "@") else { return nil }
        return (line[..<at], line[line.index(after: at)...])
    }

    /// What `image` has otherwise than this model.
    ///
    /// - Parameter before: the model after each earlier RUN. Overlay breaks a hard link of a lower layer when one of its names is
    ///   copied up; if nothing else came of that, the layer has nothing of it, and the link is whole in the image.
    func differences(to image: Listing, before: [Listing]) -> [String] {
        var result: [String] = []
        for path in Set(lines.keys).union(image.lines.keys).sorted() {
            let (model, found) = (lines[path], image.lines[path])
            if model == found { continue }
            if let (file, group) = part(path), let (other, otherGroup) = image.part(path),
                file == other, group.isEmpty || !otherGroup.isEmpty,
                before.contains(where: { $0.part(path)?.group.isEmpty == false })
            {
                continue
            }
            result.append("\(path)\n  model \(model ?? "-")\n  image \(found ?? "-")")
        }
        return result
    }
}

/// Runs a program where this user's subordinate ids are mapped, as root: files get and show the owners of an image.
func mapped(_ script: String, in directory: String) throws -> Command.Outcome {
    var command = Command(["unshare", "--map-root-user", "--map-auto", "sh", "-euc", script])
    command.directory = directory
    command.environment = ["HOME": directory]
    return try command.run()
}
