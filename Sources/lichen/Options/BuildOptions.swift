import ArgumentParser
import Build
import Doctor
import OCI

/// `lichen build` as it was typed. Parsing it touches nothing outside the process; `request(environment:)` says what it means.
struct BuildOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The build context: a directory, a git repository, the URL of a tar, or - for a tar on standard input."
        ),
        completion: .directory)
    var context: String

    @Option(
        name: .customLong("build-context"),
        help: ArgumentHelp(
            "Another image, directory, repository or tar for FROM NAME and COPY --from=NAME; may be repeated.",
            discussion: """
                WHAT is a directory, a git repository or the URL of a tar (for COPY), docker-image://NAME, oci-layout://DIR[:TAG|@DIGEST], \
                oci-archive://FILE[:TAG|@DIGEST] or docker-archive://FILE[:NAME]. It stands in for a \
                stage and for an image of that name.
                """,
            valueName: "name=what"),
        transform: BuildContextOption.init(parsing:))
    var buildContexts: [BuildContextOption] = []

    @OptionGroup var dockerfile: DockerfileOptions

    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("A name for the image; may be repeated.", valueName: "name"),
        transform: Reference.init(tag:))
    var tags: [Reference] = []

    @Flag(name: .customLong("push"), help: "Push the image to each of its names.")
    var pushes = false

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "Write the image: type=oci|docker|tar|local,dest=PATH[,tar=true|false]; may be repeated.",
            discussion: """
                oci: an OCI layout; one tar where dest ends in .tar or tar=true says so, else a \
                directory. docker: an archive for docker load and podman load. tar: the image's \
                files as one tar. local: the image's files in a directory. A path alone is \
                type=local, - alone is type=tar on standard output, as in Docker.
                """,
            valueName: "output"),
        transform: ImageOutput.init(parsing:))
    var outputs: [ImageOutput] = []

    @Option(
        name: .customLong("build-arg"),
        help: ArgumentHelp(
            "A value for an ARG; NAME alone takes it from the environment, if it is there.",
            valueName: "name=value"),
        transform: BuildArgument.init(parsing:))
    var buildArguments: [BuildArgument] = []

    @Option(
        name: .customLong("secret"),
        help: ArgumentHelp(
            "A secret for RUN --mount=type=secret: id=NAME with src=FILE or env=VARIABLE; may be repeated.",
            valueName: "id=name,…"),
        transform: SecretOption.init(parsing:))
    var secrets: [SecretOption] = []

    @Option(
        name: .customLong("ssh"),
        help: ArgumentHelp(
            "An ssh agent for RUN --mount=type=ssh: default for SSH_AUTH_SOCK, or ID=SOCKET; may be repeated.",
            valueName: "id=socket"),
        transform: AgentOption.init(parsing:))
    var agents: [AgentOption] = []

    @Option(help: ArgumentHelp("The stage to build; the last one by default.", valueName: "stage"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "The platforms to build for, with commas between them; this machine's by default.",
            discussion: """
                Several give an image each, under one index. RUNs for another machine need qemu-user-static.
                """,
            valueName: "os/arch,…"),
        transform: PlatformList.init(parsing:))
    var platform: PlatformList?

    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("A label of the image; may be repeated.", valueName: "name=value"),
        transform: Label.init(parsing:))
    var labels: [Label] = []

    @Option(help: "When to ask the registry for a base image's tag.")
    var pull: BuildRequest.PullPolicy = .always

    @Flag(name: .customLong("no-cache"), help: "Run every step, whatever the store has.")
    var noCache = false

    @OptionGroup(title: "Network of RUN") var network: NetworkOptions

    @Option(help: "How RUN is confined; auto takes the strongest way that this host allows.")
    var isolation: BuildRequest.Isolation = .auto

    @Option(
        help: ArgumentHelp(
            "How a step gets its files: stacked by overlay, or a copy where the store's file system carries no overlay."
        ))
    var snapshotter: Snapshotter = .auto

    @Option(
        help: ArgumentHelp(
            "The ids of a build: this user's subordinate ones, or a single one; other owners are kept on record."
        ))
    var ids: IDRange = .auto

    @Option(
        name: .customLong("require"),
        help: ArgumentHelp(
            "Facts of lichen doctor that must hold here, or the build fails; may be repeated.",
            discussion: """
                NAME: the fact is good. NAME=VALUE: it has this value. NAME>=NUMBER: it has this \
                number or more. Such as userns,idmap.range,landlock>=6.
                """,
            valueName: "fact,..."),
        transform: requirements)
    var required: [[Requirement]] = []

    @Option(
        help: ArgumentHelp(
            "Stages to build at the same time; the number of processors by default.",
            valueName: "n"),
        transform: jobCount)
    var jobs: Int?

    @Option(help: "How new layers are compressed; cached ones and those of bases stay as they are.")
    var compression: LayerEncoding.Method = .gzip

    @Option(
        name: .customLong("compression-level"),
        help: ArgumentHelp(
            "1 (fastest) to 12 for gzip, to 19 for zstd; 1 and 3 by default.", valueName: "n"))
    var compressionLevel: Int?

    @Option(
        name: .customLong("iidfile"),
        help: ArgumentHelp("Write the digest of the image's config here.", valueName: "path"),
        completion: .file())
    var configDigestFile: String?

    @Option(
        name: .customLong("metadata-file"),
        help: ArgumentHelp("Write what was built here, as JSON.", valueName: "path"),
        completion: .file())
    var metadataFile: String?

    @OptionGroup(title: "Limits of a RUN") var limits: LimitOptions

    @OptionGroup(title: "Registries") var registries: RegistryOptions

    mutating func validate() throws {
        let place = try ContextWord.context(context)
        if let problem = ContextWord.conflict(place, file: dockerfile.file) {
            throw ValidationError(problem)
        }
        if pushes && tags.isEmpty { throw ValidationError("--push needs a --tag to push to") }
        if outputs.filter({ $0.destination == .standardOutput }).count > 1 {
            throw ValidationError("only one --output can go to standard output")
        }
        let paths = outputs.map(\.destination).filter { $0 != .standardOutput }
        for (index, path) in paths.enumerated() where paths[..<index].contains(path) {
            throw ValidationError("two --output have the same dest")
        }
        if let platform, platform.platforms.count > 1,
            outputs.contains(where: { $0.kind == .docker })
        {
            throw ValidationError(
                "--output type=docker holds the image of one platform; use type=oci for several")
        }
        if LayerEncoding(compression, level: compressionLevel) == nil {
            let levels = compression.levels
            throw ValidationError(
                "--compression-level of \(compression.rawValue) is a number from "
                    + "\(levels.lowerBound) to \(levels.upperBound)")
        }
        if let twice = buildContexts.firstRepeated {
            throw ValidationError("two --build-context are called \(twice)")
        }
        if target == "" { throw ValidationError("--target is empty") }
        if configDigestFile == "" { throw ValidationError("--iidfile is empty") }
        if metadataFile == "" { throw ValidationError("--metadata-file is empty") }
    }

    /// Whether standard output belongs to an image's files, and no digest may be printed there.
    var writesToStandardOutput: Bool {
        outputs.contains { $0.destination == .standardOutput }
    }
}

/// A comma list; a name that is none is a slip, and the near ones are said.
private func requirements(_ text: String) throws -> [Requirement] {
    do throws(Requirement.Problem) { return try Requirement.parse(text) } catch {
        throw ValidationError(Sanitizer.clean("\(error)"))
    }
}

/// At least one; more than a thousand is a slip of the finger.
private func jobCount(_ text: String) throws -> Int {
    guard let count = Int(text), (1...1024).contains(count) else {
        throw ValidationError("a number from 1 to 1024")
    }
    return count
}

extension BuildRequest.PullPolicy: ExpressibleByArgument {}
extension LayerEncoding.Method: ExpressibleByArgument {}
extension BuildRequest.Isolation: ExpressibleByArgument {}
extension Snapshotter: ExpressibleByArgument {}
extension IDRange: ExpressibleByArgument {}
