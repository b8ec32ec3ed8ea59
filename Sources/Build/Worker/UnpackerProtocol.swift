import Layers
import OCI
import Store

// What the worker and its unpacker say to each other, as JSON over a socket pair; lists of files are bytes behind descriptors.
// Both are this program, but what comes from the unpacker may have been made by a hostile archive: it is checked.

/// The first message, with the descriptors of the store and of its scratch.
struct UnpackerConfiguration: Codable, Sendable {
    var uid, gid: [WorkerConfiguration.Extent]
    var isStacked: Bool
}

/// A layer, as the unpacker finds its files: paths below the scratch directory and below the store.
enum LayerPlace: Codable, Sendable {
    case stored(tree: String, listing: String)
    /// What an earlier look at changes found.
    case upper(Int)
}

enum UnpackerRequest: Codable, Sendable {
    /// Unpacks a blob into an empty tree.
    case unpack(blob: String, diffID: Digest, tree: String)
    /// Unpacks a tar that comes through a pipe into an empty tree; the pipe comes along.
    case receive(tree: String)
    /// Finds the changes in an upper directory; its root's attributes before, and what a copy has lost, come along.
    case changes(of: Int, upper: String, layers: [LayerPlace], latest: Int64?, isCopy: Bool)
}

enum UnpackerReply: Codable, Sendable {
    /// The listing comes along.
    case unpacked
    /// The listing comes along.
    case received(diffID: Digest)
    /// The changes come along, and their listing.
    case changed
    case failed(WorkerFailure)
}
