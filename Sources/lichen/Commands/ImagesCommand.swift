import ArgumentParser
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
            let images = try store.images().sorted { $0.name < $1.name }
            if digestsOnly {
                for image in images { Output.line(image.manifest.digest.description) }
                return
            }
            let rows = images.map { image in
                [
                    Reference.familiarName(image.name), image.manifest.digest.description,
                    Self.layerBytes(of: image.manifest, store),
                ]
            }
            for line in Table.lines(["IMAGE", "DIGEST", "LAYERS"], rows) { Output.line(line) }
        }
    }

    /// A damaged image is listed, too, or nobody could remove it; `store check` says what is wrong with it.
    private static func layerBytes(of manifest: Descriptor, _ store: Store) -> String {
        (try? store.storedImage(manifest)).map { ByteCount.text($0.layerBytes) } ?? "?"
    }
}
