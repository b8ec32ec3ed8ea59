import ArgumentParser
import Build
import OCI
import Store

struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images",
        abstract: "List the named images of the store.",
        discussion: """
            One line an image: its name, the digest of its manifest, the bytes of its layers.

            Example:
              lichen images
            """)

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print digests only.")
    var digestsOnly = false

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (place, digestsOnly) = (store, digestsOnly)
        try Session.run {
            let store = try place.open()
            let rows = try ImageListing(of: store).rows
            if digestsOnly {
                for row in rows { Output.line(row.manifest.description) }
                return
            }
            // A damaged image is listed, too, or nobody could remove it; `store check` says what is wrong with it.
            let cells = rows.map { row in
                [
                    Reference.familiarName(row.name), row.manifest.description,
                    row.platform?.description ?? "?", row.size.map { ByteCount.text($0) } ?? "?",
                ]
            }
            for line in Table.lines(["IMAGE", "DIGEST", "PLATFORM", "LAYERS"], cells) {
                Output.line(line)
            }
        }
    }
}
