public import Doctor
public import Linux
public import OCI

/// What to build and where it goes: the meaning of a command line, without the command line.
///
/// A plain value. One process may carry out many, in one store or in several.
public struct BuildRequest: Sendable {
    /// When a base image is looked up at its registry.
    public enum PullPolicy: String, Sendable, CaseIterable {
        /// Each tag is asked for once; what a digest names, and is here, is not.
        case always
        /// Only what the store does not have.
        case missing
        /// Nothing is asked for.
        case never
    }

    /// Where a RUN's network is; docs/network.md.
    public enum Network: String, Sendable, CaseIterable { case host, none, `private` }

    /// What `--allow` gives back of what is refused by default; a closed list.
    public enum Allowance: String, Sendable, Codable, CaseIterable {
        /// The addresses where clouds hand out a machine's credentials.
        case metadata
        /// `RUN --security=insecure`.
        case insecure = "security.insecure"
    }

    /// How a RUN is confined; design.md, "Isolation". The modes that come later are refused by name.
    public enum Isolation: String, Sendable, CaseIterable { case auto, userns, chroot, none }

    /// The build context: what COPY and ADD may see.
    public enum Context: Sendable, Hashable {
        case directory(String)
        /// An archive that comes through standard input, or a Dockerfile, which then has no files beside it.
        case standardInput
        /// A repository, an archive or such a Dockerfile of the network.
        case remote(RemoteContext)
    }

    public var context: Context
    /// `--build-context`, by `NamedContext.canonicalName`.
    public var namedContexts: [String: NamedContext] = [:]
    /// The Dockerfile's path, or its URL; nil for `Dockerfile`, else `Containerfile`, in the context. Where the context is no
    /// directory of this machine, the path is one of the context's.
    public var dockerfile: String?
    /// The Dockerfile itself, in place of a file.
    public var dockerfileText: [UInt8]?
    public var tags: [Reference] = []
    /// Pushes to every tag.
    public var pushes = false
    public var outputs: [ImageOutput] = []
    /// `--build-arg NAME=value`.
    public var buildArguments: [String: String] = [:]
    public var target: String?
    /// What is built for, in this order; several give one image each, under an index. Without repetition, never empty.
    public var platforms: [Platform] = [.host]
    public var labels: [String: String] = [:]
    public var pull: PullPolicy = .always
    public var usesCache = true
    public var network: Network = .host
    public var allowances: Set<Allowance> = []
    public var isolation: Isolation = .auto
    public var snapshotter: Snapshotter = .auto
    public var ids: IDRange = .auto
    /// What one RUN may take; a limit that was asked for is part of the step's key.
    public var limits: StepLimits = .none
    /// `--secret`, by id: what RUNs may ask for. Only ids go into keys and records, never values.
    public var secrets: [String: SecretSource] = [:]
    /// `--ssh`, by id: the sockets of ssh agents.
    public var agents: [String: String] = [:]
    /// Stages that are built at the same time; nil for the number of processors.
    public var jobs: Int?
    /// `--require`: what this host has to have, or nothing of the build is begun.
    public var requirements: Requirements?
    /// `SOURCE_DATE_EPOCH`, seconds since 1970: later times in layers and config are set back to it.
    public var sourceDateEpoch: Int64?
    /// Registries that are spoken to in plain HTTP, beside those on loopback.
    public var plainHTTPRegistries: Set<String> = []
    /// Registries whose certificate is not checked, and which may have no TLS at all.
    public var insecureRegistries: Set<String> = []
    /// Of new layers. It is no part of a step's key: a cached layer is taken however it was compressed.
    public var layerEncoding: LayerEncoding = .standard

    public init(context: Context) { self.context = context }
}

/// How the files of a step come together from layers, and how its changes are found.
public enum Snapshotter: String, Sendable, CaseIterable {
    /// By overlay where the file system of the store carries it, else by copies.
    case auto
    /// Layers are stacked by the kernel; what a step changed is overlay's upper directory.
    case overlay
    /// Each step works on a copy, which is compared with its layers. Slower; the layers are the same.
    case copy
}

/// Where the value of a secret is; read when a RUN that mounts it is run.
public enum SecretSource: Sendable, Equatable {
    case file(String)
    case environment(String)
}

/// Which ids the files of a build may belong to, and its processes run as.
public enum IDRange: String, Sendable, CaseIterable {
    /// The subordinate ids of the user where there are some, else its own.
    case auto
    /// This user's and its subordinate ids, or none at all.
    case subordinate
    /// This user's alone, as root of the build; other owners are kept on record.
    case single
}

/// One `--output`.
public struct ImageOutput: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// An OCI layout: a directory, or a tar of one.
        case oci
        /// The image as `docker save` writes it, for `docker load` and `podman load`: a tar.
        case docker
        /// The image's files as one tar.
        case tar
        /// The image's files in a directory, as this user may have them.
        case local
    }

    public enum Destination: Sendable, Equatable {
        case path(String)
        case standardOutput
    }

    public var kind: Kind
    public var destination: Destination
    /// Whether it is written as a tar.
    public var isTar: Bool

    public init(kind: Kind, destination: Destination, isTar: Bool) {
        self.kind = kind
        self.destination = destination
        self.isTar = isTar
    }
}

/// What came of a build.
public struct BuildResult: Sendable, Equatable {
    /// Of the image, or of the index of several.
    public var manifest: Descriptor
    /// Nil for an index.
    public var config: Digest?
    /// Instructions that make files, and those of them that the store answered.
    public var stepCount: Int
    public var cachedCount: Int
    /// Bytes that went over the network.
    public var downloadedBytes: Int64
    public var uploadedBytes: Int64
    /// Calls that were refused to its RUNs, none of which failed for it.
    public var refusedCalls: [RefusedCall]
    /// Lines of its RUNs with `--security=insecure`, whether they ran or were known.
    public var insecureRuns: [Int] = []
    /// Where its RUNs had their network, and what they were allowed.
    public var network: BuildRequest.Network = .host
    public var allowances: Set<BuildRequest.Allowance> = []
    /// What they had less of than by default.
    public var weaknesses: [Weakness] = []
    /// See `PeakMemory`; nil where it can't be read.
    public var peakMemoryBytes: Int64?

    public init(
        manifest: Descriptor, config: Digest?, stepCount: Int, cachedCount: Int,
        downloadedBytes: Int64, uploadedBytes: Int64, refusedCalls: [RefusedCall] = [],
        peakMemoryBytes: Int64? = nil
    ) {
        self.refusedCalls = refusedCalls
        self.manifest = manifest
        self.config = config
        self.stepCount = stepCount
        self.cachedCount = cachedCount
        self.downloadedBytes = downloadedBytes
        self.uploadedBytes = uploadedBytes
        self.peakMemoryBytes = peakMemoryBytes
    }
}
