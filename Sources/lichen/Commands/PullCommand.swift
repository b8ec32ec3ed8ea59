import ArgumentParser
import Build
import OCI
import Store

struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Bring an image from its registry into the store.",
        discussion: """
            Standard output gets the digest of its manifest.

            Example:
              lichen pull debian:12
            """)

    @Argument(help: "The image's name.", transform: Reference.init(named:))
    var image: Reference

    @Option(
        help: ArgumentHelp(
            "Which images of an index, with commas between them; this machine's by default.",
            valueName: "os/arch,…"),
        transform: PlatformList.init(parsing:))
    var platform: PlatformList?

    @OptionGroup(title: "Registries") var registries: RegistryOptions
    @OptionGroup(title: "Store") var store: StoreOptions
    @OptionGroup(title: "Progress") var progress: ProgressOptions

    func run() throws {
        let display = Progress(progress, command: "pull")
        let (image, place, platforms) = (image, store, platform?.platforms ?? [.host])
        let (plainHTTP, insecure) = (
            registries.plainHTTPRegistries, registries.insecureRegistries
        )
        try Session.run {
            let builder = Builder(store: try place.open(), observer: display.observer)
            let manifest = try await builder.pull(
                image, platforms: platforms, plainHTTP: plainHTTP, insecure: insecure)
            display.finish(manifest)
            Output.line(manifest.digest.description)
        } report: {
            display.fail($0)
        } cleanUp: {
            display.close()
        }
    }
}
