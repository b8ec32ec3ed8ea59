import ArgumentParser
import Build
import Linux
import OCI
import Store

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove from the store what nothing needs.",
        discussion: """
            What a named image needs stays, and what a running build may need. Without options
            the build cache stays, too: what steps gave, and their unpacked files.

            Examples:
              lichen prune
              lichen prune --older-than 7d --keep-size 20GB
              lichen prune --all --dry-run
            """)

    @Flag(help: "Remove the whole build cache and all unpacked trees, too.")
    var all = false

    @Option(
        name: .customLong("older-than"),
        help: ArgumentHelp(
            "Remove only what no build has used for so long, and that of the build cache, too: 30m, 12h, 7d, 4w.",
            valueName: "duration"),
        transform: PruneValues.seconds)
    var olderThan: Int64?

    @Option(
        name: .customLong("keep-size"),
        help: ArgumentHelp(
            "Remove the least recently used of the build cache, until it is not larger: 500MB, 20GB, 20GiB.",
            valueName: "size"),
        transform: PruneValues.bytes)
    var keepSize: Int64?

    @Flag(name: .customLong("dry-run"), help: "Say what would go, and remove nothing.")
    var isDryRun = false

    @OptionGroup(title: "Store") var store: StoreOptions

    mutating func validate() throws {
        if all && (olderThan != nil || keepSize != nil) {
            throw ValidationError("--all removes the whole build cache; leave out the other limits")
        }
    }

    func run() throws {
        var limits = PruneLimits()
        limits.takesAll = all
        limits.unusedSeconds = olderThan
        limits.keptBytes = keepSize
        let (chosen, place, isDryRun) = (limits, store, isDryRun)
        try Session.run {
            let builder = Builder(store: try place.open(), observer: { _ in })
            if isDryRun {
                let items = try await builder.previewPrune(chosen)
                for item in items { Output.line(item.line(now: wallClockSeconds())) }
                Output.line("would remove \(StorePrune.Freed(items).text)")
            } else {
                Output.line("removed \(try await builder.prune(chosen).text)")
            }
        }
    }
}

extension PruneItem {
    /// As `--dry-run` prints it.
    func line(now: Int64) -> String {
        let what =
            switch kind {
            case .step(let key): "step \(key.hex)"
            case .blob(let digest): "blob \(digest)"
            case .listing(let diffID): "listing \(diffID)"
            case .tree(let tree): "tree \(tree.diffID)"
            }
        return "\(what), \(ByteCount.text(bytes)), used \(PruneValues.ago(now - used))"
    }
}

extension StorePrune.Freed {
    var text: String {
        "\(blobs) blobs, \(steps) steps and \(trees) trees, \(ByteCount.text(bytes))"
    }
}

/// Spans and sizes as they are typed.
enum PruneValues {
    private static let units: [(letter: Character, seconds: Int64)] = [
        ("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 7 * 86400),
    ]

    private static let sizes: [(suffix: String, bytes: Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000), ("B", 1), ("", 1),
    ]

    /// `90s`, `12h`, `1h30m`.
    static func seconds(_ text: String) throws -> Int64 {
        var rest = text[...]
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let letter = rest.popFirst(), let count = Int64(digits), count < 1_000_000_000,
                let unit = units.first(where: { $0.letter == letter })
            else { throw ValidationError("write it as in 30m, 12h, 7d or 4w") }
            total += count * unit.seconds
        }
        if text.isEmpty { throw ValidationError("write it as in 30m, 12h, 7d or 4w") }
        return total
    }

    /// `500MB`, `20GiB`, or a number of bytes.
    static func bytes(_ text: String) throws -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count)
        guard let count = Int64(digits), let size = sizes.first(where: { $0.suffix == suffix })
        else { throw ValidationError("write it as in 500MB, 20GB or 20GiB") }
        let (bytes, isTooLarge) = count.multipliedReportingOverflow(by: size.bytes)
        if isTooLarge { throw ValidationError("that is more than any disk") }
        return bytes
    }

    static func ago(_ seconds: Int64) -> String {
        guard let unit = units.dropLast().last(where: { seconds >= $0.seconds }) else {
            return "just now"
        }
        return "\(seconds / unit.seconds)\(unit.letter) ago"
    }
}
