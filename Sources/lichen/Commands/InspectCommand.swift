import ArgumentParser
import FoundationEssentials
import OCI
import Store

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Print what an image is, as JSON.",
        discussion: """
            Its name, the digest of its manifest, the manifest and the config.

            Example:
              lichen inspect app:1
            """)

    @Argument(help: "The image's name.", transform: Reference.init(named:))
    var image: Reference

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let (image, place) = (image, store)
        try Session.run {
            let store = try place.open()
            let stored = try store.storedImage(try store.manifest(named: image))
            Output.line(try ImageReport(name: image.description, stored).text())
        }
    }
}

/// What `inspect` prints.
private struct ImageReport: Encodable {
    var name: String
    var digest: Digest
    var manifest: Manifest
    var config: ImageConfig

    init(name: String, _ image: StoredImage) {
        self.name = name
        digest = image.digest
        manifest = image.manifest
        config = image.config
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
