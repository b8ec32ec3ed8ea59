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
    var files: [String] = []

    /// The one that is named.
    var file: String? { files.first }

    mutating func validate() throws {
        if file == "" { throw ValidationError("--file is empty") }
        if files.count > 1 {
            throw ValidationError("--file is given twice; a build has one Dockerfile")
        }
    }

    /// A request that means this file; reads standard input where that is asked for.
    func request(context: BuildRequest.Context) throws -> BuildRequest {
        var request = BuildRequest(context: context)
        if file != StandardInput.word { request.dockerfile = file }
        request.dockerfileText = try StandardInput.dockerfile(ifNamedBy: file)
        return request
    }
}
