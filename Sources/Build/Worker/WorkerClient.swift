import FoundationEssentials
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// The builder's side of the worker: made at the first request or before, asked by many tasks at once.
final class WorkerClient: Sendable {
    private let store: Store
    private let packingThreads: Int
    private let encoding: LayerEncoding
    private let ids: IDRange
    private let snapshotter: Snapshotter
    private let limits: StepLimits
    private let expectsRun: Bool
    private let weaknesses: Weaknesses?
    private let state = Mutex(State())

    private struct State {
        var phase = Phase.none
        var nextNumber = 1
        var waiting: [Int: CheckedContinuation<Answer, any Error>] = [:]
        var starters: [CheckedContinuation<Connection, any Error>] = []
    }

    private enum Phase {
        case none, starting
        case ready(Connection)
        case failed(any Error)
        case gone
    }

    /// A worker that answers.
    private struct Connection: Sendable {
        var socket: MessageSocket
        var process: ProcessHandle
        var ids: WorkerIDs
    }

    /// A reply, and the descriptor that came along.
    final class Answer: Sendable {
        let reply: WorkerReply
        private let descriptor: Mutex<OwnedDescriptor?>

        init(_ reply: WorkerReply, _ descriptor: consuming OwnedDescriptor?) {
            self.reply = reply
            self.descriptor = Mutex(descriptor)
        }

        func takeDescriptor() -> OwnedDescriptor? { descriptor.withLock { $0.take() } }
    }

    /// - Parameters:
    ///   - encoding: of the layers that it packs.
    ///   - expectsRun: whether what a RUN needs is made ready when it starts.
    ///   - weaknesses: told of what this place does not have.
    init(
        store: Store, packingThreads: Int, encoding: LayerEncoding = .standard,
        ids: IDRange = .auto, snapshotter: Snapshotter = .auto,
        limits: StepLimits = .none, expectsRun: Bool = false, weaknesses: Weaknesses? = nil
    ) {
        self.store = store
        self.packingThreads = packingThreads
        self.encoding = encoding
        self.ids = ids
        self.snapshotter = snapshotter
        self.limits = limits
        self.expectsRun = expectsRun
        self.weaknesses = weaknesses
    }

    /// A worker for `request`.
    convenience init(
        _ request: BuildRequest, store: Store, expectsRun: Bool, weaknesses: Weaknesses
    ) {
        self.init(
            store: store, packingThreads: request.jobs ?? Host.processorCount,
            encoding: request.layerEncoding, ids: request.ids, snapshotter: request.snapshotter,
            limits: request.limits, expectsRun: expectsRun, weaknesses: weaknesses)
    }

    // MARK: - Asking

    /// Sends a request and waits for its answer. Cancelling the task kills what the request runs; the answer then says so.
    ///
    /// - Parameter sent: called when the worker has its own copies of the descriptors.
    func ask(
        _ request: WorkerRequest, _ descriptors: [FileDescriptor] = [], sent: () -> Void = {}
    ) async throws -> Answer {
        let connection = try await connection()
        if case .finish = request {} else { try noteWeakness(of: connection.ids) }
        let number = state.withLock { state in
            defer { state.nextNumber += 1 }
            return state.nextNumber
        }
        let answer = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isGone = state.withLock { state in
                    if case .gone = state.phase { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if isGone { return continuation.resume(throwing: Self.died) }
                do {
                    try Self.send(request, number, descriptors, connection.socket)
                    sent()
                } catch {
                    state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(
                        throwing: error)
                }
            }
        } onCancel: {
            try? Self.send(.cancel(request: number), 0, [], connection.socket)
        }
        if case .failed(let failure) = answer.reply {
            try Task.checkCancellation()
            throw BuildError(failure.category, failure.message, hint: failure.hint)
        }
        return answer
    }

    /// Not before it does something: one that nobody needs makes no image weaker.
    private func noteWeakness(of ids: WorkerIDs) throws {
        if ids.usesHelpers { return }
        // Whoever asked for a single id knows what that is.
        let words = ids.reason.map {
            "other owners are kept on record, and a RUN can't have them (\($0))"
        }
        try weaknesses?.note(
            .singleID, saying: words.map { .notice("\(Weakness.singleID.consequence): \($0)") })
    }

    /// Lets a worker clean up and end, if there is one. Waits at most a second: what is left is swept up by the next build.
    func finish() async {
        if case .none = state.withLock({ $0.phase }) { return }
        // One that is starting is waited for, too: perhaps it has made its work area.
        let asking = Task.detached { _ = try? await self.ask(.finish) }
        let leaving = Task.detached {
            try? await Task.sleep(for: .seconds(1))
            if !Task.isCancelled { self.leave() }
        }
        _ = await asking.value
        leaving.cancel()
    }

    /// Has nothing to do with the worker any more: one that answers is killed, one that is starting finds nobody.
    private func leave() {
        let starters = state.withLock { state in
            if case .ready(let connection) = state.phase { connection.process.kill() }
            if case .starting = state.phase { state.phase = .gone }
            defer { state.starters = [] }
            return state.starters
        }
        starters.forEach { $0.resume(throwing: Self.died) }
    }

    private static let died = BuildError(
        .bug, "the worker ended unexpectedly",
        hint: "its words are above; if it was killed, the machine may be out of memory")

    private static func send(
        _ request: WorkerRequest, _ number: Int, _ descriptors: [FileDescriptor],
        _ socket: MessageSocket
    ) throws {
        try socket.send(
            [UInt8](try JSONEncoder().encode(Numbered(number: number, body: request))), descriptors)
    }

    // MARK: - Starting

    /// Starts the worker, so that whoever asks first need not wait for all of it. Where there can be none, that one hears why.
    func begin() {
        let isFirst = state.withLock { state in
            guard case .none = state.phase else { return false }
            state.phase = .starting
            return true
        }
        // This thread clones the worker and lives until it is reaped: PR_SET_PDEATHSIG watches the thread.
        if isFirst { startThread { self.live() } }
    }

    private func connection() async throws -> Connection {
        begin()
        return try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                switch state.phase {
                case .ready(let connection): continuation.resume(returning: connection)
                case .failed(let error): continuation.resume(throwing: error)
                case .gone: continuation.resume(throwing: Self.died)
                case .none, .starting: state.starters.append(continuation)
                }
            }
        }
    }

    /// The life of a worker: start, answers, end.
    private func live() {
        do { try startAndServe() } catch {
            let starters = state.withLock { state in
                // Whoever has left knows already.
                if case .gone = state.phase {
                    return [CheckedContinuation<Connection, any Error>]()
                }
                state.phase = .failed(error)
                defer { state.starters = [] }
                return state.starters
            }
            starters.forEach { $0.resume(throwing: error) }
        }
    }

    private func startAndServe() throws {
        var started = try start()
        try greet(started)
        deliver(from: started.socket)
        let waiting = state.withLock { state in
            state.phase = .gone
            defer { state.waiting = [:] }
            return state.waiting
        }
        // The socket's end means that it has ended, or is about to.
        _ = try? started.child.wait()
        for continuation in waiting.values { continuation.resume(throwing: Self.died) }
    }

    private func deliver(from socket: MessageSocket) {
        while let message = try? socket.receive() {
            guard
                let reply = try? JSONDecoder().decode(
                    Numbered<WorkerReply>.self, from: Data(message.body))
            else { return }
            let continuation = state.withLock { $0.waiting.removeValue(forKey: reply.number) }
            continuation?.resume(returning: Answer(reply.body, message.takeDescriptor()))
        }
    }

    private struct Started: ~Copyable {
        var child: Child
        let socket: MessageSocket
        let ids: WorkerIDs
    }

    /// With the range that is wanted; where the helpers refuse to map it and a single id will do, with that.
    private func start() throws -> Started {
        let wanted = try WorkerIDs(ids)
        do throws(RefusedMap) { return try start(wanted) } catch {
            if ids != .auto || !wanted.usesHelpers { throw error.described }
            return try startSingle(because: error)
        }
    }

    private func startSingle(because refusal: RefusedMap) throws -> Started {
        do throws(RefusedMap) {
            return try start(.single(reason: refusal.described.description))
        } catch { throw error.described }
    }

    /// The kernel, or a helper of the system, did not let us make a namespace with these ids.
    private struct RefusedMap: Error { var described: BuildError }

    private func start(_ ids: WorkerIDs) throws(RefusedMap) -> Started {
        do { return try begin(ids) } catch { throw RefusedMap(described: BuildError(any: error)) }
    }

    private func begin(_ ids: WorkerIDs) throws -> Started {
        // Our copy of the worker's end goes with this function: then the worker's death is our end of file.
        let (ours, theirs) = try MessageSocket.pair()
        let child = try Self.clone(keeping: theirs.descriptor)
        try Self.writeMaps(of: child, ids)
        try child.proceed()
        if let report = try child.awaitExec() {
            throw BuildError(.host, "\(report.step): \(report.errno.inWords)")
        }
        return Started(child: child, socket: ours, ids: ids)
    }

    private static func writeMaps(of child: borrowing Child, _ ids: WorkerIDs) throws {
        do throws(SystemError) {
            if ids.usesHelpers {
                try child.writeIDMapsByHelpers(uid: ids.uid, gid: ids.gid)
            } else {
                try child.writeIDMaps(uid: ids.uid, gid: ids.gid, denyingGroups: true)
            }
        } catch {
            let hint =
                ids.usesHelpers
                ? "newuidmap and newgidmap must be set-user-id root or have their capabilities; /etc/subuid and "
                    + "/etc/subgid must hold the ranges of this user"
                : "a security module of this host may forbid user namespaces; see user_namespaces(7)"
            throw BuildError(.host, error.description, hint: hint)
        }
    }

    private static func clone(keeping socket: FileDescriptor) throws(BuildError) -> Child {
        do throws(Errno) {
            return try Child.worker(
                program: "/proc/self/exe", arguments: ["lichen", WorkerProcess.argument],
                environment: [],
                keeping: socket)
        } catch { throw namespacesRefused(error) }
    }

    /// The first message; from then on the worker answers.
    private func greet(_ started: borrowing Started) throws {
        let (ids, socket) = (started.ids, started.socket)
        let configuration = WorkerConfiguration(
            uid: ids.uid.extents.map { .init($0) }, gid: ids.gid.extents.map { .init($0) },
            dropsGroups: ids.usesHelpers, remedy: WorkerIDs.remedy(.current),
            snapshotter: snapshotter, limits: limits, expectsRun: expectsRun,
            packingThreads: packingThreads, encoding: encoding)
        try socket.send([UInt8](try JSONEncoder().encode(configuration)), store.descriptors)
        let connection = Connection(
            socket: socket, process: try started.child.handle(), ids: ids)
        let starters = try state.withLock { state in
            if case .gone = state.phase { throw Self.died }
            state.phase = .ready(connection)
            defer { state.starters = [] }
            return state.starters
        }
        starters.forEach { $0.resume(returning: connection) }
    }

    /// What a refused clone means; the errno alone does not say.
    private static func namespacesRefused(_ errno: Errno) -> BuildError {
        let words = "this host does not let us make a user namespace: \(errno.inWords)"
        let hint =
            switch errno {
            case .notPermitted:
                "a seccomp profile, an AppArmor rule or a sysctl (kernel.unprivileged_userns_clone) forbids it"
            case .noSpace:
                "user.max_user_namespaces is reached, or namespaces are nested too deeply"
            case .invalidArgument: "the kernel has no user namespaces"
            default: "see user_namespaces(7)"
            }
        return BuildError(.host, words, hint: hint)
    }
}
