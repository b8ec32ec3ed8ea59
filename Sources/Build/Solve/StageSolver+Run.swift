import Dockerfile
import Layers
import Linux
import OCI
import Store
import Synchronization
import SystemPackage

/// RUN: a command in a sandbox, on the files so far; what it changes is a layer.
extension StageSolver {
    mutating func perform(
        _ run: RunInstruction, _ instruction: Instruction, _ index: Int, _ event: BuildEvent.Step
    ) async throws {
        let mounts = try await mounts(of: run, index, instruction)
        var order = RunOrder(
            line: event.line, layers: [], arguments: run.invocation(shell: state.shell).arguments,
            environment: environment(),
            workingDirectory: state.workingDirectory, user: state.config.config.user,
            network: try network(run, instruction), allowances: session.request.allowances,
            emulators: planned.platform.normalized.runsHere ? [] : session.emulators,
            hostname: try BuiltInArguments(session.request.buildArguments).hostname,
            latest: session.request.sourceDateEpoch)
        order.isInsecure = run.security == .insecure
        if order.isInsecure { session.noteInsecure(at: event.line) }
        let createdBy = CreatedBy.run(order.arguments, buildArguments: historyArguments())
        let current = state
        let session = session
        let request = order
        let destinations = session.earlyDestinations(of: planned.stage.index, plan)
        try await step(
            event, key: try await key(of: request, mounts), createdBy: createdBy,
            at: instruction.range,
            reading: mounts.basis
        ) {
            try await Self.carryOut(request, mounts, on: current, for: destinations, event, session)
        }
    }

    private func network(_ run: RunInstruction, _ instruction: Instruction) throws
        -> BuildRequest.Network
    {
        switch run.network {
        case .default?, nil: return session.request.network
        case .some(.none): return .none
        case .host?:
            if session.request.network == .host { return .host }
            throw session.error(
                .input,
                "RUN --network=host in a build with --network \(session.request.network.rawValue)",
                at: instruction.keyword.range)
        }
    }

    /// Variables of the stage, and the proxies of the command line, which no ARG has to ask for.
    private func environment() -> [String] {
        var result = state.scope.environment
        for name in proxyNames where state.scope.value(name) == nil {
            result.append("\(name)=\(session.request.buildArguments[name]!)")
        }
        return result
    }

    private var proxyNames: [String] {
        session.request.buildArguments.keys.filter {
            StageScope.proxyArguments.contains($0.uppercased())
        }.sorted()
    }

    /// Everything that the command can see. Proxies are left out: another way to the same files.
    private func key(of order: RunOrder, _ mounts: StepMounts) async throws -> Digest {
        var key = CacheKey("RUN")
        key.add(state.key)
        key.add(order.arguments)
        key.add(state.scope.environment)
        key.add(order.workingDirectory)
        key.add(order.user)
        key.add(order.network.rawValue)
        key.add(planned.platform.description)
        key.add(try await session.policyDigest.value)
        if order.isInsecure {
            key.add(["insecure", try session.insecurePolicyDigest().description])
        }
        key.add(session.request.sourceDateEpoch.map { String($0) })
        let limits = session.request.limits
        if limits != .none { key.add(["limits"] + limits.words) }
        if let hostname = order.hostname { key.add(["hostname", hostname]) }
        // What allows insecure RUNs says nothing of the others.
        let allowed = order.allowances.subtracting([.insecure])
        if !allowed.isEmpty {
            key.add("allowed")
            key.add(allowed.map(\.rawValue).sorted())
        }
        if !mounts.isEmpty { mounts.add(to: &key) }
        return key.finish()
    }

    /// What ARG has declared; a proxy, too, where an ARG asks for it. Dockerfile reference, "Predefined ARGs".
    private func historyArguments() -> [(name: String, value: String)] {
        state.scope.arguments.compactMap { name in state.scope.value(name).map { (name, $0) } }
    }

    private static func carryOut(
        _ order: RunOrder, _ mounts: StepMounts, on state: StageState,
        for destinations: [Reference], _ event: BuildEvent.Step, _ session: BuildSession
    ) async throws -> StepOutcome {
        var order = order
        try session.noteWeakNetwork(of: order)
        order.layers = try await session.sources(of: state.layers)
        let prepared = try await MountOrders(mounts, session)
        order.mounts = prepared.orders
        order.environment += prepared.environment
        let (request, files) = (order, prepared.files)
        let answer: WorkerClient.Answer
        do {
            answer = try await withOutput(of: event, session) { output in
                try await session.worker.ask(
                    .run(request), [output, output] + files.map(\.borrowed))
            }
        } catch {
            prepared.remove()
            throw error
        }
        prepared.remove()
        switch answer.reply {
        case .ran(let upper, let report):
            try session.take(report, of: request)
            guard let upper else { return StepOutcome(isReusable: !report.lackedIDs) }
            guard let file = answer.takeDescriptor() else {
                throw BuildError(.bug, "a step came without its listing")
            }
            let listing = try Listing(try MappedFile(file.borrowed))
            let packed = Task { try await session.pack(upper, for: destinations) }
            let layer = SolvedLayer(
                upper: upper, listing: listing, packing: Task { try await packed.value.record })
            return StepOutcome(layer: layer, packed: packed, isReusable: !report.lackedIDs)
        case .exited(_, let words, let report):
            try Task.checkCancellation()
            try session.take(report, of: request)
            throw session.failure(words, report)
        case .packed, .missing, .received, .done, .failed:
            throw BuildError(.bug, "the worker gave another answer than asked for")
        }
    }

    /// Passes on what the command writes while `body` runs.
    private static func withOutput<Value: Sendable>(
        of event: BuildEvent.Step, _ session: BuildSession,
        _ body: (FileDescriptor) async throws -> Value
    ) async throws -> Value {
        let pipe = try Pipe()
        let reading = SharedDescriptor(try pipe.reading.duplicate())
        let reader = Task {
            try await blocking {
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32768, alignment: 16)
                defer { buffer.deallocate() }
                while true {
                    let count = try reading.borrowed.readOnce(into: buffer)
                    if count == 0 { return }
                    session.observer(.stepOutput(event, [UInt8](buffer[..<count])))
                }
            }
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(pipe.writing.borrowed)) } catch {
            result = .failure(error)
        }
        // Our end goes, the sandbox's have gone: now the reader comes to the end.
        _ = pipe.closeWriting()
        _ = try? await reader.value
        return try result.get()
    }
}

extension BuildSession {
    /// How the worker finds these layers; their blobs are fetched where there is no tree.
    func sources(of layers: [SolvedLayer]) async throws -> [LayerSource] {
        var sources: [LayerSource] = []
        for layer in layers { sources.append(try await layer.source) }
        let stored = sources.compactMap { source in
            if case .stored(let record) = source { record } else { nil }
        }
        guard
            case .missing(let missing, let notices) = try await worker.ask(.missingTrees(stored))
                .reply
        else { throw BuildError(.bug, "the worker gave another answer than asked for") }
        for notice in notices { observer(.notice(notice)) }
        try await images.ensureBlobs(missing)
        return sources
    }

    /// Has the worker make the trees of these layers, and so their listings: a RUN will need them. Whoever needs them hears what went wrong.
    ///
    /// - Throws: `CancellationError` alone.
    func makeTrees(of layers: [SolvedLayer]) async throws {
        if let sources = try? await sources(of: layers) {
            let stored = sources.compactMap { source in
                if case .stored(let record) = source { record } else { nil }
            }
            _ = try? await worker.ask(.makeTrees(stored))
        }
        try Task.checkCancellation()
    }

    /// Packs what a step left behind, on the worker's threads.
    func pack(_ upper: Int, for destinations: [Reference]) async throws -> PackedLayer {
        let request = WorkerRequest.pack(upper: upper, latest: request.sourceDateEpoch)
        guard let packed = try await packByWorker(request, for: destinations) else {
            throw BuildError(.bug, "the worker gave another answer than asked for")
        }
        return packed
    }

    /// A layer that the worker makes; nil where it has no entries.
    func packByWorker(
        _ request: WorkerRequest, for destinations: [Reference]
    ) async throws -> PackedLayer? {
        try await makeBlob(for: destinations) { file in
            guard case .packed(let packed) = try await worker.ask(request, [file]).reply else {
                throw BuildError(.bug, "the worker gave another answer than asked for")
            }
            return packed
        }
    }
}

// MARK: - Refused calls

extension BuildSession {
    /// Tells of what was refused to a step, whatever came of it, and keeps it for the result.
    func take(_ report: StepReport, of order: RunOrder) throws(BuildError) {
        for call in report.refused.prefix(Self.mostToldCalls) {
            observer(.warning("\(document.source.file):\(call.line): \(call.description)"))
        }
        let untold = report.refused.dropFirst(Self.mostToldCalls).count + report.unrecorded
        if untold > 0 { observer(.warning("\(untold) more calls were refused")) }
        refused.withLock { $0 += report.refused }
        if report.proc != .fresh { try weaknesses.note(.coveredProc(report.proc)) }
        guard let reason = report.isUnsupervised else { return }
        try weaknesses.note(.unsupervised(reason))
        if order.refusesMetadata { try weaknesses.note(.openMetadata(reason)) }
    }

    /// So many refused calls of a step are shown; the metadata has all that are on record.
    private static let mostToldCalls = 5

    /// The end of a command that failed, and whether it was refused something before.
    func failure(_ words: String, _ report: StepReport) -> BuildError {
        let message =
            "the command failed: \(words)" + (report.reachedLimit.map { ", after it \($0)" } ?? "")
        var missing: (uids: [UInt32], gids: [UInt32]) = ([], [])
        var isRefused = false
        var metadata: String?
        for call in report.refused {
            switch call.cause {
            case .policy: isRefused = true
            case .missingIDs(let uids, let gids):
                missing.uids += uids
                missing.gids += gids
            case .metadata(let address, _): metadata = address
            }
        }
        if isRefused {
            return BuildError(
                .refusedByPolicy, "\(message), after calls that the policy refused",
                hint: "the calls are named above; a program that needs them can't run in this build"
            )
        }
        if let metadata {
            return BuildError(
                .refusedByPolicy,
                "\(message), after it wanted to reach a cloud's metadata service (\(metadata))",
                hint: "--allow metadata gives RUNs this machine's credentials")
        }
        if let highest = (missing.uids + missing.gids).max() {
            return BuildError(
                .instruction,
                "\(message), after it wanted ids up to \(highest) that this build does not have",
                hint: WorkerIDs.remedy(.current))
        }
        return BuildError(.instruction, message)
    }
}
