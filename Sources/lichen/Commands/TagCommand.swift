import ArgumentParser
import OCI
import Store

struct TagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Give an image of the store another name.",
        discussion: """
            Example:
              lichen tag app:1 registry.example/team/app:1
            """)

    @Argument(help: "The image's name.", transform: Reference.init(named:))
    var image: Reference

    @Argument(help: "The other name.", transform: Reference.init(tag:))
    var name: Reference

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (image, name, place) = (image, name, store)
        try Session.run {
            let store = try place.open()
            try store.setImage(name.description, to: try store.manifest(named: image))
        }
    }
}
