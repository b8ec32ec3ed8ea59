import ArgumentParser
import Build
import OCI

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Print what an image is, as JSON.",
        discussion: """
            Its name, the digest of its manifest, the manifest and the config, whole.

            Example:
              lichen inspect app:1
            """)

    @Argument(help: "The image's name.", transform: Reference.init(named:))
    var image: Reference

    @Option(
        help: "Which image of an index, as in linux/amd64; this host's if none is named.",
        transform: Platform.init(parsing:))
    var platform: Platform?

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (image, platform, place) = (image, platform, store)
        try Session.run {
            let store = try place.open()
            let described = try DescribedImage(
                try store.manifest(named: image), platform: platform, in: store)
            Output.line(described.inspection(name: image.description))
        }
    }
}
