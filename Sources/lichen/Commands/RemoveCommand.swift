import ArgumentParser
import OCI
import Store

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Take names of images away.",
        discussion: """
            The blobs go with the next prune, unless another image or step needs them.

            Example:
              lichen rm app:1
            """)

    @Argument(help: "Names of images.", transform: Reference.init(tag:))
    var images: [Reference]

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (images, place) = (images, store)
        try Session.run {
            let store = try place.open()
            // All of them are looked up first: a slip in one name takes none away.
            for image in images { _ = try store.manifest(named: image) }
            for image in images { _ = try store.removeImage(image.description) }
        }
    }
}
