import ArgumentParser
import Store

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove from the store what nothing needs.",
        discussion: """
            What a named image or the build cache needs stays; with --all only named images stay.
            Unpacked trees are not removed yet.

            Example:
              lichen prune --all
            """)

    @Flag(help: "Remove the build cache, too.")
    var all = false

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (all, place) = (all, store)
        try Session.run {
            let removed = try StorePruner(store: try place.open()).prune(all: all)
            Output.line("removed \(removed.files) files, \(ByteCount.text(removed.bytes))")
        }
    }
}
