import Dockerfile
import Lint
import OCI

/// A look at a Dockerfile: what `lichen lint` says, in a build with what the build knows.
public enum Checks {
    /// In place of the file's `# check=`. BuildKit reads the same build argument.
    static let argument = "BUILDKIT_DOCKERFILE_CHECK"

    /// - Throws: `BuildError` where the build argument makes no sense.
    static func input(
        _ document: DockerfileDocument, _ request: BuildRequest, for platform: Platform
    ) throws(BuildError) -> LintInput {
        var input = LintInput(document, names: .ofImages)
        input.buildArguments = request.buildArguments
        input.predefined = GlobalScope.predefinedArguments(
            document, request, for: platform)
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

    /// Says what is found as warnings, once for all platforms. Where the file takes findings for errors, the build ends here.
    static func report(
        _ document: DockerfileDocument, _ planned: [Planner.Outcome], _ context: BuildContext,
        _ request: BuildRequest, to observer: BuildObserver
    ) throws(BuildError) {
        var told: Set<String> = []
        for planned in planned {
            try report(document, planned, context, request) { line in
                if told.insert(line).inserted { observer(.warning(line)) }
            }
        }
    }

    private static func report(
        _ document: DockerfileDocument, _ planned: Planner.Outcome, _ context: BuildContext,
        _ request: BuildRequest, tell: (String) -> Void
    ) throws(BuildError) {
        var input = try input(document, request, for: planned.plan.platform)
        input.stages = Set(planned.plan.stages.keys)
        input.ignored = context.ignored
        input.bases = planned.bases.mapValues { LintBase($0.config) }
        let report = LintReport(input)
        for note in report.notes { tell("\(report.file): \(note)") }
        for finding in report.findings { tell(finding.line(file: report.file)) }
        guard report.isFailure, let first = report.findings.first else { return }
        throw BuildError(
            .input, "the checks found something: \(report.rules.joined(separator: ", "))",
            at: first.range, in: document,
            hint: "the file takes findings for errors; # check=skip=… leaves a rule out")
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
