import ArgumentParser
import Build
import Store

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove from the store what nothing needs.",
        discussion: """
            What a named image or the build cache needs stays; with --all only named images stay.

            Example:
              lichen prune --all
            """)

    @Flag(help: "Remove the build cache and unpacked trees, too.")
    var all = false

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (all, place) = (all, store)
        try Session.run {
            let builder = Builder(store: try place.open(), observer: { _ in })
            let freed = try await builder.prune(all: all)
            Output.line(
                "removed \(freed.blobs) blobs and \(freed.steps) steps, \(ByteCount.text(freed.bytes))"
            )
        }
    }
}
