import ArgumentParser
import Build
import OCI
import Store

struct PushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Send an image of the store to its registry.",
        discussion: """
            Blobs that the registry has are not sent. Standard output gets the digest of the manifest.

            Example:
              lichen tag app:1 registry.example/team/app:1
              lichen push registry.example/team/app:1
            """)

    @Argument(help: "The image's name, with the registry in it.", transform: Reference.init(tag:))
    var image: Reference

    @OptionGroup(title: "Registries") var registries: RegistryOptions
    @OptionGroup(title: "Store") var store: StoreOptions
    @OptionGroup(title: "Progress") var progress: ProgressOptions

    func run() throws {
        let display = Progress(progress, command: "push")
        let (image, place) = (image, store)
        let (plainHTTP, insecure) = (
            registries.plainHTTPRegistries, registries.insecureRegistries
        )
        try Session.run {
            let builder = Builder(store: try place.open(), observer: display.observer)
            let manifest = try await builder.push(
                image, plainHTTP: plainHTTP, insecure: insecure)
            display.finish(manifest)
            Output.line(manifest.digest.description)
        } report: {
            display.fail($0)
        } cleanUp: {
            display.close()
        }
    }
}
