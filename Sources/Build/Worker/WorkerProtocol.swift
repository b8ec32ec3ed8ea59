import Linux
import OCI
import Store

// What the builder and its worker say to each other, as JSON over a socket pair. Both are this program: the messages are not
// kept and have no versions.

/// A layer, as the worker finds its files.
enum LayerSource: Codable, Hashable, Sendable {
    /// A tree of the store; unpacked from its blob, which is here, where there is none.
    case stored(LayerRecord)
    /// What a step of this worker left behind.
    case upper(Int)
}

/// The first message, with the descriptors of the store and of its scratch.
struct WorkerConfiguration: Codable, Sendable {
    struct Extent: Codable, Sendable { var inside, outside, count: UInt32 }
    var uid, gid: [Extent]
    /// Whether setgroups(2) is allowed in the namespace.
    var dropsGroups: Bool
    /// What an administrator runs for more ids.
    var remedy: String
    var snapshotter: Snapshotter
    /// What one RUN may take.
    var limits: StepLimits
    /// A RUN will most likely come: what every RUN needs is made ready at once.
    var expectsRun: Bool
    /// Threads that compress one layer.
    var packingThreads: Int
    var encoding: LayerEncoding
}

enum WorkerRequest: Codable, Sendable {
    /// Asks which of these layers have to be unpacked, for which their blobs have to be here.
    case missingTrees([LayerRecord])
    /// Makes the trees of these layers, whose blobs are here.
    case makeTrees([LayerRecord])
    /// Unpacks a tar while it is being made; the pipe that it comes through comes along.
    case receiveTree
    /// Keeps a tree that was received, as that of the layer with this diff ID.
    case keepTree(Int, as: Digest)
    /// Runs a command; the descriptors of its output and error come along.
    case run(RunOrder)
    /// Packs what a step left behind into the file that comes along.
    case pack(upper: Int, latest: Int64?)
    /// Makes a layer of files of another stage, in the file that comes along.
    case copy(CopyOrder)
    /// Kills what the request with this number runs.
    case cancel(request: Int)
    /// Removes the trees that a prune has set aside.
    case removeTrees
    /// Cleans up; nothing follows.
    case finish
}

struct RunOrder: Codable, Sendable {
    /// Of the Dockerfile.
    var line: Int
    var layers: [LayerSource]
    var arguments: [String]
    var environment: [String]
    var workingDirectory: String
    var user: String
    var network: BuildRequest.Network
    var allowances: Set<BuildRequest.Allowance>
    /// To be registered before it, where its programs are for another machine and the kernel has none for them.
    var emulators: [Emulator]
    /// `RUN --security=insecure`.
    var isInsecure = false
    /// Nil for the usual one.
    var hostname: String?
    var mounts: [MountOrder] = []
    /// `SOURCE_DATE_EPOCH`.
    var latest: Int64?

    /// Whether cloud metadata services are in reach of its network, and not for it.
    var refusesMetadata: Bool { network != .none && !allowances.contains(.metadata) }
}

struct CopyOrder: Codable, Sendable {
    var from: [LayerSource]
    /// Empty for `--link`: the layer is made without the files that it comes to lie on.
    var parent: [LayerSource]
    var sources: [String]
    var texts: [Transfer.Text]
    var excludes: [String]
    var keepsParents: Bool
    var destination: String
    var workingDirectory: String
    var uid, gid: UInt32?
    var mode: String?
    var latest: Int64?
    var now: Int64
}

/// A layer that the worker packed.
struct PackedLayer: Codable, Sendable {
    var record: LayerRecord
    var compressor: String
}

enum WorkerReply: Codable, Sendable {
    /// The command ended well; `upper` is nil where it changed nothing. With one, its listing's descriptor comes along.
    case ran(upper: Int?, StepReport)
    /// The command ended with another status than 0.
    case exited(code: Int32, words: String, StepReport)
    case packed(PackedLayer?)
    case missing([LayerRecord], notices: [String])
    /// The diff ID is what the unpacker makes of the bytes.
    case received(tree: Int, Digest)
    case done
    case failed(WorkerFailure)
}

/// What a step's supervisor has on record.
struct StepReport: Codable, Sendable {
    var refused: [RefusedCall] = []
    /// Refused calls that are not in the list, because it was full.
    var unrecorded = 0
    /// A limit that the command came to.
    var reachedLimit: String?
    /// What the command saw as /proc.
    var proc = ProcView.fresh
    /// Why there was no supervisor.
    var isUnsupervised: String?

    /// Whether the step would have done more where there are more ids.
    var lackedIDs: Bool {
        refused.contains { if case .missingIDs = $0.cause { true } else { false } }
    }
}

/// An error of the worker, as the builder throws it.
struct WorkerFailure: Codable, Sendable, Error {
    var category: BuildError.Category
    var message: String
    var hint: String?
}

/// Numbers requests, so that several can be under way.
struct Numbered<Body: Codable & Sendable>: Codable, Sendable {
    var number: Int
    var body: Body
}

extension WorkerConfiguration.Extent {
    init(_ extent: IDMap.Extent) {
        self.init(inside: extent.inside, outside: extent.outside, count: extent.count)
    }
}

extension IDMap {
    init(_ extents: [WorkerConfiguration.Extent]) {
        self.init(
            extents: extents.map { Extent(inside: $0.inside, outside: $0.outside, count: $0.count) }
        )
    }
}

extension BuildRequest.Network: Codable {}
extension Snapshotter: Codable {}
