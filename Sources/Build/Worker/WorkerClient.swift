import FoundationEssentials
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// The builder's side of the worker: made at the first request, asked by many tasks at once.
final class WorkerClient: Sendable {
    private let store: Store
    private let packingThreads: Int
    private let encoding: LayerEncoding
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

    /// - Parameter encoding: of the layers that it packs.
    init(store: Store, packingThreads: Int, encoding: LayerEncoding = .standard) {
        self.store = store
        self.packingThreads = packingThreads
        self.encoding = encoding
    }

    /// The id map of every worker of this user; it names the trees.
    static func idMaps() throws(BuildError) -> (uid: IDMap, gid: IDMap) {
        let user = InvokingUser.current
        let (uids, gids) = (user.subordinateUIDs(), user.subordinateGIDs())
        for (file, ranges) in [("/etc/subuid", uids), ("/etc/subgid", gids)] where ranges.isEmpty {
            throw BuildError(
                .host,
                "RUN needs subordinate ids, and \(file) has no range for \(user.name) (uid \(user.uid))",
                hint:
                    "an administrator runs: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(user.name)"
            )
        }
        for helper in ["newuidmap", "newgidmap"] where helperPath(helper) == nil {
            throw BuildError(
                .host, "RUN needs \(helper), and it is not installed",
                hint: "an administrator runs: apt-get install uidmap")
        }
        return (IDMap(own: user.uid, subordinate: uids), IDMap(own: user.gid, subordinate: gids))
    }

    // MARK: - Asking

    /// Sends a request and waits for its answer. Cancelling the task kills what the request runs; the answer then says so.
    func ask(_ request: WorkerRequest, _ descriptors: [FileDescriptor] = []) async throws -> Answer
    {
        let connection = try await connection()
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
                do { try Self.send(request, number, descriptors, connection.socket) } catch {
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

    /// Lets a worker clean up and end, if there is one. Waits at most a second: what is left is swept up by the next build.
    func finish() async {
        guard case .ready(let connection) = state.withLock({ $0.phase }) else { return }
        let asking = Task.detached { _ = try? await self.ask(.finish) }
        let killing = Task.detached {
            try? await Task.sleep(for: .seconds(1))
            if !Task.isCancelled { connection.process.kill() }
        }
        _ = await asking.value
        killing.cancel()
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

    private func connection() async throws -> Connection {
        try await withCheckedThrowingContinuation { continuation in
            let mustStart = state.withLock { state -> Bool in
                switch state.phase {
                case .ready(let connection):
                    continuation.resume(returning: connection)
                    return false
                case .failed(let error):
                    continuation.resume(throwing: error)
                    return false
                case .gone:
                    continuation.resume(throwing: Self.died)
                    return false
                case .starting:
                    state.starters.append(continuation)
                    return false
                case .none:
                    state.phase = .starting
                    state.starters.append(continuation)
                    return true
                }
            }
            // This thread clones the worker and lives until it is reaped: PR_SET_PDEATHSIG watches the thread.
            if mustStart { startThread { self.live() } }
        }
    }

    /// The life of a worker: start, answers, end.
    private func live() {
        do { try startAndServe() } catch {
            let starters = state.withLock { state in
                state.phase = .failed(error)
                return state.starters
            }
            starters.forEach { $0.resume(throwing: error) }
        }
    }

    private func startAndServe() throws {
        var started = try start()
        try greet(started.child, started.socket)
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
    }

    private func start() throws -> Started {
        let maps = try Self.idMaps()
        // Our copy of the worker's end goes with this function: then the worker's death is our end of file.
        let (ours, theirs) = try MessageSocket.pair()
        let child = try Self.clone(keeping: theirs.descriptor)
        do throws(SystemError) {
            try child.writeIDMapsByHelpers(uid: maps.uid, gid: maps.gid)
        } catch {
            throw BuildError(
                .host, error.description,
                hint:
                    "newuidmap and newgidmap must be set-user-id root or have their capabilities; /etc/subuid and "
                    + "/etc/subgid must hold the ranges of this user")
        }
        try child.proceed()
        if let report = try child.awaitExec() {
            throw BuildError(.host, "\(report.step): \(report.errno.inWords)")
        }
        return Started(child: child, socket: ours)
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
    private func greet(_ child: borrowing Child, _ socket: MessageSocket) throws {
        let maps = try Self.idMaps()
        let configuration = WorkerConfiguration(
            uid: maps.uid.extents.map { .init($0) }, gid: maps.gid.extents.map { .init($0) },
            packingThreads: packingThreads, encoding: encoding)
        try socket.send([UInt8](try JSONEncoder().encode(configuration)), store.descriptors)
        let process = try child.handle()
        let starters = state.withLock { state in
            state.phase = .ready(Connection(socket: socket, process: process))
            defer { state.starters = [] }
            return state.starters
        }
        starters.forEach { $0.resume(returning: Connection(socket: socket, process: process)) }
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
