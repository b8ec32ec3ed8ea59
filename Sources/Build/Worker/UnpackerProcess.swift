import Archive
import FoundationEssentials
import Layers
import Linux
import OCI
import Policy
import Store
import Synchronization
import SystemPackage

/// The unpacker: a process of the worker's that alone reads foreign archives and trees.
///
/// It stands in an empty root, with Landlock, few capabilities, a seccomp filter and no network, and reaches files by descriptors
/// below the store alone: whoever takes it over by an archive gets the trees that the archive may fill anyway.
public enum UnpackerProcess {
    /// The first argument by which the program knows that it is the unpacker.
    public static let argument = "--lichen-unpacker"

    /// Serves the worker on descriptor 3 until it is gone.
    public static func run() -> Never {
        ServiceProcess.run(called: "unpacker") {
            (configuration: UnpackerConfiguration, socket, root, scratch) in
            do { try confine(root.borrowed, scratch.borrowed) } catch {
                let reply = UnpackerReply.failed(WorkerFailure(error))
                return ServiceProcess.refuse(socket, reply) { (_: UnpackerRequest) in false }
            }
            UnpackerServer(configuration, root: root, scratch: scratch, socket).serve()
        }
    }

    private static func confine(_ root: FileDescriptor, _ scratch: FileDescriptor) throws {
        guard let architecture = Architecture.current, let kernel = KernelVersion.running else {
            throw WorkerFailure(
                category: .host, message: "no system call policy for this machine")
        }
        let program = try SandboxPolicy.unpackerProgram(architecture: architecture, kernel: kernel)
        try confineToFiles(
            below: scratch, reading: root,
            capabilities: SandboxPolicy.unpackerCapabilities.rawValue, filter: program.bytes)
    }
}

/// Takes requests, each on a thread of its own: several layers are unpacked at once.
private final class UnpackerServer: Sendable {
    private let form: TreeForm
    private let root, scratch: OwnedDescriptor
    private let socket: MessageSocket
    private let uppers = Mutex<[Int: Upper]>([:])

    private struct Upper {
        var directory: SharedDescriptor
        var listing: Listing
    }

    /// An answer and the files that come along.
    private struct Answer {
        var reply: UnpackerReply
        var files: [SharedDescriptor]
    }

    init(
        _ configuration: UnpackerConfiguration, root: consuming OwnedDescriptor,
        scratch: consuming OwnedDescriptor, _ socket: MessageSocket
    ) {
        form = TreeForm(
            uid: IDMap(configuration.uid), gid: IDMap(configuration.gid),
            isStacked: configuration.isStacked)
        self.root = root
        self.scratch = scratch
        self.socket = socket
    }

    func serve() {
        while let message = try? socket.receive() {
            guard
                let request = try? JSONDecoder().decode(
                    Numbered<UnpackerRequest>.self, from: Data(message.body))
            else { return }
            var files: [SharedDescriptor] = []
            while let file = message.takeDescriptor() { files.append(SharedDescriptor(file)) }
            startThread { [self, files] in
                let answer: Answer
                do { answer = try carryOut(request.body, files) } catch {
                    answer = Answer(reply: .failed(WorkerFailure(error)), files: [])
                }
                guard
                    let body = try? JSONEncoder().encode(
                        Numbered(number: request.number, body: answer.reply))
                else { return }
                // A worker that is gone needs no answer.
                try? socket.send([UInt8](body), answer.files.map(\.borrowed))
            }
        }
    }

    private func carryOut(_ request: UnpackerRequest, _ files: [SharedDescriptor]) throws -> Answer
    {
        switch request {
        case .unpack(let blob, let diffID, let tree): return try unpack(blob, diffID, tree)
        case .receive(let tree):
            guard let stream = files.first else {
                throw WorkerFailure(category: .bug, message: "the tar did not come along")
            }
            return try receive(stream, tree)
        case .changes(let number, let upper, let layers, let latest, let isCopy):
            guard files.count == (isCopy ? 2 : 1) else {
                throw WorkerFailure(category: .bug, message: "the step's root did not come along")
            }
            let before = try RootAttributes(decoding: try Self.content(files[0]))
            let removals = isCopy ? try Removals(decoding: try Self.content(files[1])) : nil
            return try changes(number, upper, layers, latest, before, removals)
        }
    }

    private static func content(_ file: SharedDescriptor) throws -> [UInt8] {
        try file.borrowed.seekAbsolutely(to: 0)
        return try file.borrowed.readAll(limit: UnpackerClient.largestList)
    }

    /// Unpacks a layer's blob, and sees that it is what its diff ID says.
    private func unpack(_ blob: String, _ expected: Digest, _ tree: String) throws -> Answer {
        let file = try root.borrowed.open(blob, .readOnly, resolve: .noLinks)
        let directory = try open(tree)
        let listing: ListingBuilder
        do {
            let (diffID, made) = try unpack(file.borrowed, called: blob, into: directory)
            if diffID != expected {
                throw StoreError(.wrongDigest(expected: expected, actual: diffID))
            }
            listing = made
        } catch {
            // Whatever the disk is not to blame for is the image's fault.
            var failure = WorkerFailure(error)
            if failure.category != .storage || error is StoreError { failure.category = .input }
            throw failure
        }
        return Answer(reply: .unpacked, files: [try anonymous(listing)])
    }

    /// Unpacks a tar from a pipe, and says what it was.
    private func receive(_ stream: SharedDescriptor, _ tree: String) throws -> Answer {
        let directory = try open(tree)
        let (diffID, listing) = try unpack(
            stream.borrowed, called: "a new layer", into: directory)
        return Answer(reply: .received(diffID: diffID), files: [try anonymous(listing)])
    }

    private func open(_ tree: String) throws -> OwnedDescriptor {
        try scratch.borrowed.open(tree, [.readOnly, .directory], resolve: .noLinks)
    }

    private func anonymous(_ listing: ListingBuilder) throws -> SharedDescriptor {
        SharedDescriptor(try anonymousFile(holding: listing.encoded()))
    }

    private func unpack(
        _ layer: FileDescriptor, called name: String, into tree: borrowing OwnedDescriptor
    ) throws -> (diffID: Digest, listing: ListingBuilder) {
        let reader = try LayerReader(DescriptorSource(layer, called: name))
        let listing = try TreeUnpacker.unpack(reader.tar, into: tree.borrowed, form)
        return (Digest(sha256: try reader.finish().diffID), listing)
    }

    private func changes(
        _ number: Int, _ upper: String, _ layers: [LayerPlace], _ latest: Int64?,
        _ before: RootAttributes, _ removals: Removals?
    ) throws -> Answer {
        let directory = try scratch.borrowed.open(
            upper, [.readOnly, .directory], resolve: .noLinks)
        let below = try open(layers)
        let changes = try UpperDiff.changes(
            in: directory.borrowed, lower: below.stack, trees: below.trees.map(\.borrowed),
            form: form, rootBefore: before, latest: latest, removals: removals)
        let listing = try UpperPacker.listing(of: changes, upper: directory.borrowed, latest: nil)
        let listingFile = SharedDescriptor(try anonymousFile(holding: listing.encoded()))
        let kept = Upper(
            directory: SharedDescriptor(directory),
            listing: try Listing(try MappedFile(listingFile.borrowed)))
        uppers.withLock { $0[number] = kept }
        let bytes = SharedDescriptor(try anonymousFile(holding: changes.encoded()))
        return Answer(reply: .changed, files: [bytes, listingFile])
    }

    private func open(_ layers: [LayerPlace]) throws -> (
        trees: [SharedDescriptor], stack: LayerStack
    ) {
        var trees: [SharedDescriptor] = []
        var stack = LayerStack()
        for layer in layers {
            switch layer {
            case .stored(let tree, let listing):
                let directory = try scratch.borrowed.open(
                    tree, [.readOnly, .directory], resolve: .noLinks)
                trees.append(SharedDescriptor(directory))
                let file = try root.borrowed.open(listing, .readOnly, resolve: .noLinks)
                stack.push(try Listing(try MappedFile(file.borrowed)))
            case .upper(let number):
                guard let upper = uppers.withLock({ $0[number] }) else {
                    throw WorkerFailure(category: .bug, message: "step \(number) left nothing")
                }
                trees.append(upper.directory)
                stack.push(upper.listing)
            }
        }
        return (trees, stack)
    }
}
