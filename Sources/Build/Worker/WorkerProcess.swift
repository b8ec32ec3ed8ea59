import FoundationEssentials
import Glibc
import Layers
import Linux
import Sandbox
import Store
import Synchronization
import SystemPackage

/// The worker: root of user namespace A, made when a step must run, or most likely will.
///
/// It makes trees, mounts overlays, runs sandboxes, finds changes and packs them. It opens no connection and holds no credential.
/// When its builder is gone, so is it: by the parent-death signal, and by the end of the socket as a second belt.
public enum WorkerProcess {
    /// The first argument by which the program knows that it is the worker.
    public static let argument = "--lichen-worker"

    /// Serves the builder on descriptor 3 until it says so or is gone.
    public static func run() -> Never {
        ServiceProcess.run(called: "worker") {
            (configuration: WorkerConfiguration, socket, root, scratch) in
            do {
                let store = Store(root: try reopenedHere(root), scratch: try reopenedHere(scratch))
                try WorkerServer(configuration, store: store, socket: socket).serve()
            } catch {
                ServiceProcess.refuse(socket, WorkerReply.failed(WorkerFailure(error))) {
                    (request: WorkerRequest) in
                    if case .finish = request { true } else { false }
                }
            }
        }
    }
}

/// Takes requests and answers each from a thread of its own: a sandbox must be cloned by a thread that outlives it.
final class WorkerServer: Sendable {
    let store: Store
    let area: WorkArea
    let form: TreeForm
    let packingThreads: Int
    let encoding: LayerEncoding
    let uppers = UpperStore()
    let trees: TreeMaker
    let unpacker: UnpackerClient
    let stubLock = Lock()
    let dropsGroups: Bool
    let remedy: String
    let limiter: StepLimiter
    let emulation = WorkerEmulation()
    let sandboxes = SandboxShelf()
    private let expectsRun: Bool
    private let socket: MessageSocket
    /// What this place does not have; told once.
    private let notices: Mutex<[String]>
    private let running = Mutex<[Int: RunningStep]>([:])

    /// A step that can be killed; `isCancelled` may come before there is something to kill.
    private struct RunningStep {
        var handle: ProcessHandle?
        var isCancelled = false
    }

    init(_ configuration: WorkerConfiguration, store: Store, socket: MessageSocket) throws {
        self.store = store
        self.socket = socket
        dropsGroups = configuration.dropsGroups
        remedy = configuration.remedy
        packingThreads = configuration.packingThreads
        encoding = configuration.encoding
        // Here, and not in the builder, because what killed builds left belongs to subordinate ids.
        store.sweep()
        area = try store.newWorkArea()
        let (uid, gid) = (IDMap(configuration.uid), IDMap(configuration.gid))
        let choice = try area.removedOnFailure {
            try Self.choose(configuration.snapshotter, in: $0)
        }
        form = TreeForm(uid: uid, gid: gid, isStacked: choice.isOverlay)
        limiter = StepLimiter(configuration.limits, family: ownFamily())
        expectsRun = configuration.expectsRun
        notices = Mutex([choice.notice, limiter.notice].compactMap { $0 })
        unpacker = UnpackerClient(
            UnpackerConfiguration(
                uid: configuration.uid, gid: configuration.gid, isStacked: form.isStacked),
            store: store)
        trees = TreeMaker(store: store, area: area, form: form, unpacker: unpacker)
    }

    func serve() {
        if expectsRun { makeReady() }
        while let message = try? socket.receive() {
            guard
                let request = try? JSONDecoder().decode(
                    Numbered<WorkerRequest>.self, from: Data(message.body))
            else {
                return
            }
            switch request.body {
            case .cancel(let number): cancel(number)
            case .finish:
                // What can't be removed is swept up by the next build.
                try? area.remove()
                answer(request.number, .done)
                return
            default:
                var descriptors: [SharedDescriptor] = []
                while let descriptor = message.takeDescriptor() {
                    descriptors.append(SharedDescriptor(descriptor))
                }
                startRequest(request, descriptors)
            }
        }
    }

    /// Starts what takes longest of a RUN before it comes.
    private func makeReady() {
        unpacker.start()
        startThread { [self] in
            // Whatever is wrong with it is told to who asks again.
            _ = try? sandbox(
                SandboxKind(hidesRecords: !dropsGroups, refusesMetadata: true, isInsecure: false))
        }
    }

    private func startRequest(_ request: Numbered<WorkerRequest>, _ descriptors: [SharedDescriptor])
    {
        startThread { [self] in
            let number = request.number
            do {
                switch request.body {
                case .run(let order):
                    running.withLock { $0[number] = $0[number] ?? RunningStep() }
                    let reply = try run(
                        order, descriptors,
                        isCancelled: {
                            self.running.withLock { $0[number]?.isCancelled ?? false }
                        }, started: { handle in self.register(handle, number) })
                    running.withLock { $0[number] = nil }
                    answer(number, reply.reply, reply.listing)
                case .pack(let upper, let latest):
                    answer(
                        number,
                        .packed(
                            try pack(upper, into: try Self.file(descriptors), latest: latest)))
                case .copy(let order):
                    answer(number, .packed(try copy(order, into: try Self.file(descriptors))))
                case .makeTrees(let layers):
                    try trees.make(layers)
                    answer(number, .done)
                case .receiveTree:
                    let received = try trees.receive(try Self.file(descriptors))
                    answer(number, .received(tree: received.number, received.diffID))
                case .keepTree(let number, let diffID):
                    try trees.keep(number, as: diffID)
                    answer(request.number, .done)
                case .removeTrees:
                    try store.removeTrees()
                    answer(number, .done)
                case .missingTrees(let layers):
                    // Asked before every step that has to run.
                    unpacker.start()
                    let notices = notices.withLock { notices in
                        defer { notices = [] }
                        return notices
                    }
                    answer(number, .missing(try trees.missing(of: layers), notices: notices))
                case .cancel, .finish: break
                }
            } catch {
                running.withLock { $0[number] = nil }
                answer(number, .failed(WorkerFailure(error)))
            }
        }
    }

    private static func file(_ descriptors: [SharedDescriptor]) throws -> SharedDescriptor {
        guard let file = descriptors.first else {
            throw WorkerFailure(category: .bug, message: "a request came without its file")
        }
        return file
    }

    private func register(_ handle: ProcessHandle, _ number: Int) {
        let isCancelled = running.withLock { running in
            running[number]?.handle = handle
            return running[number]?.isCancelled ?? false
        }
        if isCancelled { handle.kill() }
    }

    private func cancel(_ number: Int) {
        let handle = running.withLock { running in
            running[number, default: RunningStep()].isCancelled = true
            return running[number]?.handle
        }
        handle?.kill()
    }

    private func answer(_ number: Int, _ reply: WorkerReply, _ descriptor: FileDescriptor? = nil) {
        guard let body = try? JSONEncoder().encode(Numbered(number: number, body: reply)) else {
            return
        }
        // A builder that is gone needs no answer.
        try? socket.send([UInt8](body), descriptor.map { [$0] } ?? [])
    }
}
