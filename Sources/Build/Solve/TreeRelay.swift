import Linux
import OCI
import Synchronization
import SystemPackage

/// Passes a layer's tar on to the worker while it is packed: when the layer is there, so is the tree that the next RUN needs.
///
/// The tree is a by-product. What goes wrong with it is told nowhere here: then the RUN has it made from the layer's blob, and says what
/// is wrong with that.
final class TreeRelay: Sendable {
    /// What the worker makes of the bytes.
    private struct Received {
        var tree: Int
        var diffID: Digest
    }

    private let worker: WorkerClient
    private let pipe: Mutex<OwnedDescriptor?>
    /// Where the tar goes; until `finish`.
    let writing: FileDescriptor
    private let receiving: Task<Received?, Never>

    init(_ worker: WorkerClient) throws(Errno) {
        let ends = try Pipe()
        let reading = SharedPipeEnd(try ends.reading.duplicate())
        let own = ends.closeReading()
        writing = own.borrowed
        pipe = Mutex(own)
        self.worker = worker
        receiving = Task {
            guard let end = reading.descriptor else { return nil }
            // Our copy of the reading end goes with the request: when the worker's goes, writing fails, and nobody waits.
            let answer = try? await worker.ask(.receiveTree, [end]) { reading.close() }
            reading.close()
            guard case .received(let tree, let diffID)? = answer?.reply else { return nil }
            return Received(tree: tree, diffID: diffID)
        }
    }

    /// Ends the tar, and keeps the tree where it is that of the layer that was made; nil where none was.
    func finish(as diffID: Digest?) async {
        pipe.withLock { $0 = nil }
        guard let received = await receiving.value, received.diffID == diffID else { return }
        _ = try? await worker.ask(.keepTree(received.tree, as: received.diffID))
    }
}

/// A descriptor that is closed while the one who has handed it on still waits for an answer.
private final class SharedPipeEnd: Sendable {
    private let end: Mutex<OwnedDescriptor?>

    init(_ descriptor: consuming OwnedDescriptor) { end = Mutex(descriptor) }

    /// Nil when it is closed.
    var descriptor: FileDescriptor? { end.withLock { $0?.borrowed } }

    func close() { end.withLock { $0 = nil } }
}
