import FoundationEssentials
import Layers
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// The worker's side of its unpacker: started when it will be needed, asked by many threads at once.
final class UnpackerClient: Sendable {
    /// The most that a list of files takes: some 8 million entries.
    static let largestList = 2 << 30

    private let state = Mutex(State())
    /// Waits for changes of the state.
    private let changed = Monitor()

    private struct State {
        var isStarted = false
        var socket: MessageSocket?
        var failure: (any Error)?
        var nextNumber = 1
        var replies: [Int: Reply] = [:]
    }

    /// An answer and the files that came along.
    private struct Reply: Sendable {
        var body: UnpackerReply
        var files: [SharedDescriptor]
    }

    private let configuration: UnpackerConfiguration
    private let store: Store

    init(_ configuration: UnpackerConfiguration, store: Store) {
        self.configuration = configuration
        self.store = store
    }

    /// Starts the unpacker, once: beforehand, so that whoever asks first need not wait for it.
    func start() {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        // This thread clones it and lives until it is reaped: PR_SET_PDEATHSIG watches the thread.
        if isFirst { startThread { self.live() } }
    }

    // MARK: - Asking

    /// Unpacks a blob into the empty tree at a path of the scratch directory; the listing's bytes.
    func unpack(_ record: LayerRecord, into tree: String) throws -> [UInt8] {
        let blob = "blobs/sha256/\(record.blob.digest.hex)"
        let reply = try ask(.unpack(blob: blob, diffID: record.diffID, tree: tree), [])
        guard case .unpacked = reply.body, reply.files.count == 1 else { throw Self.confused }
        return try Self.content(reply.files[0])
    }

    /// Unpacks a tar from a pipe into the empty tree at a path of the scratch directory; its diff ID and the listing's bytes.
    func receive(_ stream: SharedDescriptor, into tree: String) throws -> (Digest, [UInt8]) {
        let reply = try ask(.receive(tree: tree), [stream])
        guard case .received(let diffID) = reply.body, reply.files.count == 1 else {
            throw Self.confused
        }
        return (diffID, try Self.content(reply.files[0]))
    }

    /// The changes that step `number` left in the upper directory at a path of the scratch directory, and their listing's file.
    func changes(
        of number: Int, upper: String, _ layers: [LayerPlace], before: RootAttributes,
        removals: Removals?, latest: Int64?
    ) throws -> (changes: ChangeSet, listing: SharedDescriptor) {
        var files = [SharedDescriptor(try anonymousFile(holding: before.encoded()))]
        if let removals {
            files.append(SharedDescriptor(try anonymousFile(holding: removals.encoded())))
        }
        let request = UnpackerRequest.changes(
            of: number, upper: upper, layers: layers, latest: latest, isCopy: removals != nil)
        let reply = try ask(request, files)
        guard case .changed = reply.body, reply.files.count == 2 else { throw Self.confused }
        let changes = try ChangeSet(decoding: try Self.content(reply.files[0]))
        return (changes, reply.files[1])
    }

    private static let confused = WorkerFailure(
        category: .bug, message: "the unpacker gave another answer than asked for")

    private static func content(_ file: SharedDescriptor) throws -> [UInt8] {
        try file.borrowed.seekAbsolutely(to: 0)
        return try file.borrowed.readAll(limit: largestList)
    }

    private func ask(_ request: UnpackerRequest, _ files: [SharedDescriptor]) throws -> Reply {
        let (socket, number) = try connection()
        let body = try JSONEncoder().encode(Numbered(number: number, body: request))
        try socket.send([UInt8](body), files.map(\.borrowed))
        let reply: Reply = try changed.wait {
            try state.withLock { state in
                if let reply = state.replies.removeValue(forKey: number) { return reply }
                if let failure = state.failure { throw failure }
                return nil
            }
        }
        if case .failed(let failure) = reply.body { throw failure }
        return reply
    }

    private func connection() throws -> (MessageSocket, Int) {
        start()
        return try changed.wait {
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                guard let socket = state.socket else { return nil }
                defer { state.nextNumber += 1 }
                return (socket, state.nextNumber)
            }
        }
    }

    // MARK: - Its life

    private func live() {
        do {
            let (ours, theirs) = try MessageSocket.pair()
            var child = try begin(theirs)
            _ = consume theirs
            try ours.send([UInt8](try JSONEncoder().encode(configuration)), store.descriptors)
            changed.change { state.withLock { $0.socket = ours } }
            deliver(from: ours)
            _ = try? child.wait()
            throw WorkerFailure(
                category: .bug, message: "the unpacker ended unexpectedly",
                hint: "its words are above; if it was killed, the machine may be out of memory")
        } catch { changed.change { state.withLock { $0.failure = error } } }
    }

    private func begin(_ socket: MessageSocket) throws -> Child {
        let child = try Child.worker(
            program: "/proc/self/exe", arguments: ["lichen", UnpackerProcess.argument],
            environment: [], keeping: socket.descriptor, in: .isolated)
        try child.proceed()
        if let report = try child.awaitExec() {
            throw WorkerFailure(
                category: .host,
                message: "start the unpacker: \(report.step): \(report.errno.inWords)")
        }
        return child
    }

    private func deliver(from socket: MessageSocket) {
        while let message = try? socket.receive() {
            guard
                let reply = try? JSONDecoder().decode(
                    Numbered<UnpackerReply>.self, from: Data(message.body))
            else { return }
            var files: [SharedDescriptor] = []
            while let file = message.takeDescriptor() { files.append(SharedDescriptor(file)) }
            let answer = Reply(body: reply.body, files: files)
            changed.change { state.withLock { $0.replies[reply.number] = answer } }
        }
    }
}
