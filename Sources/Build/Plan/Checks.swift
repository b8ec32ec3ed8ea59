import Dockerfile
import Lint
import OCI

/// A build's own look at its Dockerfile: what `lichen lint` says, with what the build knows.
enum Checks {
    /// In place of the file's `# check=`. BuildKit reads the same build argument.
    static let argument = "BUILDKIT_DOCKERFILE_CHECK"

    /// - Throws: `BuildError` where the build argument makes no sense.
    static func input(
        _ document: DockerfileDocument, _ request: BuildRequest
    ) throws(BuildError) -> LintInput {
        var input = LintInput(document, names: .ofImages)
        input.buildArguments = request.buildArguments
        input.predefined = GlobalScope.predefinedArguments(document, request)
        if let text = request.buildArguments[argument] {
            guard let options = CheckOptions(text) else {
                throw BuildError(
                    .input, "\(argument)=\(Harmless.text(text, limit: 200)) makes no sense",
                    hint: "known are skip=, error= and experimental=, with ; between")
            }
            input.check = options
        }
        return input
    }
}

extension LintNames {
    /// Images and platforms as everywhere in a build.
    static let ofImages = LintNames(
        isReference: { (try? Reference(parsing: $0)) != nil },
        platform: { (try? Platform(parsing: $0)).map { LintPlatform($0) } })
}

extension LintPlatform {
    init(_ platform: Platform) {
        self.init(os: platform.os, architecture: platform.architecture)
    }
}

extension LintBase {
    init(_ config: ImageConfig) {
        var environment: [String: String] = [:]
        for entry in config.config.env {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        let platform = Platform(
            os: config.os, architecture: config.architecture, variant: config.variant)
        self.init(
            environment: environment, hasShell: !config.config.shell.isEmpty,
            platform: LintPlatform(platform.normalized))
    }
}
