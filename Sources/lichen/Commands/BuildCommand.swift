import ArgumentParser
import Build
import Doctor
import OCI
import Store
import Linux

struct BuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build an image from a Dockerfile.",
        discussion: """
            Standard output gets the digest of the image's manifest, standard error the progress.
            SOURCE_DATE_EPOCH in the environment sets later times in the image back to it.

            Examples:
              lichen build -t registry.example/team/app:1 --push .
              lichen build -f Dockerfile.dev --build-arg VERSION=2 -o type=oci,dest=app.tar .
            """)

    @OptionGroup var options: BuildOptions
    @OptionGroup(title: "Store") var store: StoreOptions
    @OptionGroup(title: "Progress") var progress: ProgressOptions

    func run() throws {
        if options.writesToStandardOutput && Terminal.isStandardOutput {
            throw ValidationError("standard output is a terminal; send the tar somewhere else")
        }
        var request = try wantedRequest()
        try ContextWord.checkTerminal(request.context)
        request.dockerfileText = try StandardInput.dockerfile(ifNamedBy: options.dockerfile.file)
        let display = Progress(progress, command: "build")
        let (options, place, asked) = (options, store, request)
        try Session.run {
            let builder = Builder(store: try place.open(), observer: display.observer)
            let result = try await builder.build(asked)
            try ResultFiles(options).write(result, tags: asked.tags)
            display.finish(result)
            if !options.writesToStandardOutput { Output.line(result.manifest.digest.description) }
        } report: {
            display.fail($0)
        } cleanUp: {
            display.close()
        }
    }

    private func wantedRequest() throws -> BuildRequest {
        var request = try options.request(environment: processEnvironment())
        let required = options.required.flatMap { $0 }
        if !required.isEmpty {
            request.requirements = Requirements(required, place: try store.place())
        }
        return request
    }
}
