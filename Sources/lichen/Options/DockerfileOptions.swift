import ArgumentParser
import Build
import OCI

/// A Dockerfile to look at, without a build.
struct DockerfileOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp(
            "The Dockerfile: a path, a URL, or - for standard input; without it Dockerfile, else Containerfile, in the context.",
            valueName: "path|url|-"),
        completion: .file())
    var file: String?

    mutating func validate() throws {
        if file == "" { throw ValidationError("--file is empty") }
    }

    /// A request that means this file; reads standard input where that is asked for.
    func request(context: BuildRequest.Context) throws -> BuildRequest {
        var request = BuildRequest(context: context)
        if file != StandardInput.word { request.dockerfile = file }
        request.dockerfileText = try StandardInput.dockerfile(ifNamedBy: file)
        return request
    }
}
