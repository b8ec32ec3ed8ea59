import Dockerfile
import Doctor
import Linux
import OCI
import Synchronization
public import Store

/// Builds images in a store. One value can carry out many requests, one after another or at once.
public struct Builder: Sendable {
    let store: Store
    let observer: BuildObserver

    public init(store: Store, observer: @escaping BuildObserver) {
        self.store = store
        self.observer = observer
    }

    /// Carries out one request. Cancelling the task ends the build: no process, no mount and nothing half-written stays.
    ///
    /// - Throws: `BuildError` with the exit status that fits, or `CancellationError`.
    public func build(_ request: BuildRequest) async throws -> BuildResult {
        try await described { try await carryOut(request) }
    }

    private func carryOut(_ request: BuildRequest) async throws -> BuildResult {
        raiseOpenFileLimit()
        try Self.checkIsolation(request.isolation)
        try Self.check(request.requirements)
        // Held until the end of the build: nobody prunes what it stands on.
        let lock = try store.enter()
        defer { withExtendedLifetime(lock) {} }
        return try await withSession(request) { try await run($0) }
    }

    /// Reads and plans what `request` asks for; nothing has run yet when `body` begins.
    func withSession<Value>(
        _ request: BuildRequest, isRehearsal: Bool = false,
        _ body: (BuildSession) async throws -> Value
    ) async throws -> Value {
        let images = ImageSource(store: store, request: request, observer: observer)
        let remote = RemoteFiles(store: store, counter: images.counter)
        let fetcher = ContextFetcher(request, store: store, remote: remote)
        defer { fetcher.removeFiles() }
        let (text, context) = try await read(request, fetcher)
        let document = try text.parse()
        do {
            let planned = try await Planner(request: request, images: images).plan(document)
            try Checks.report(document, planned, context, request, to: observer)
            let weaknesses = Weaknesses(request.requirements, observer: observer)
            let worker = WorkerClient(request, store: store, weaknesses: weaknesses)
            let session = try BuildSession(
                request: request, plan: planned.plan, store: store, images: images, worker: worker,
                remote: remote, context: context, weaknesses: weaknesses,
                isRehearsal: isRehearsal, observer: observer)
            return try await body(session)
        } catch let error as DockerfileError {
            var failure = BuildError(any: error)
            failure.excerpt = error.excerpt(in: document.source)
            throw failure
        }
    }

    /// The Dockerfile, and what COPY may take.
    private func read(
        _ request: BuildRequest, _ fetcher: ContextFetcher
    ) async throws -> (DockerfileText, BuildContext) {
        let files = try await fetcher.files(of: request.context)
        let text = try await DockerfileText.read(request, in: files)
        var named: [NamedContext: ContextFiles] = [:]
        for context in request.namedContexts.values {
            guard named[context] == nil, let place = context.files else { continue }
            named[context] = try await fetcher.namedFiles(of: place)
        }
        return (text, try BuildContext(files, text, named: named))
    }

    private func run(_ session: BuildSession) async throws -> BuildResult {
        let outcome: Result<BuildResult, any Error>
        do {
            warnOfUnusedArguments(session)
            for name in session.plan.unusedContexts {
                observer(.warning("build context \(name) is not used: nothing has that name"))
            }
            let states = try await StageScheduler(session: session).solveAll()
            let image = try await ImageAssembler(session: session).assemble(
                states[session.plan.target]!)
            try await deliver(image, session)
            outcome = .success(
                BuildResult(
                    manifest: image.manifest, config: image.config,
                    stepCount: session.stepCounts.steps,
                    cachedCount: session.stepCounts.cached,
                    downloadedBytes: session.images.counter.downloaded,
                    uploadedBytes: session.images.counter.uploaded,
                    refusedCalls: session.refused.withLock { $0 }))
        } catch { outcome = .failure(error) }
        await session.pusher.end()
        // After a failure, what was solved is still packed: the next build starts from there. An interrupted build ends now.
        if !Task.isCancelled { await session.awaitPacking() }
        session.saveDigests()
        session.removeCheckouts()
        // While the worker is there, and no RUN is.
        let memory = PeakMemory.bytes()
        await session.worker.finish()
        var result = try outcome.get()
        result.peakMemoryBytes = memory
        result.network = session.request.network
        result.allowances = session.request.allowances
        result.weaknesses = session.weaknesses.all
        return result
    }

    private func deliver(_ image: AssembledImage, _ session: BuildSession) async throws {
        for tag in session.request.tags where tag.tag != nil {
            if try store.image(tag.description)?.digest != image.manifest.digest {
                try store.setImage(tag.description, to: image.manifest)
            }
        }
        if session.request.pushes {
            for tag in session.request.tags {
                try await session.pusher.push(image.manifest, to: tag)
            }
        }
        try await export(image, session)
    }

    private func export(_ image: AssembledImage, _ session: BuildSession) async throws {
        if session.request.outputs.isEmpty { return }
        try await session.images.ensureBlobs(image.layers)
        guard let manifest = try store.document(image.manifest.digest),
            let config = try store.document(image.config)
        else { throw StoreError(.missingBlob(image.manifest.digest)) }
        let exportable = ExportableImage(
            manifest: image.manifest, manifestBytes: manifest, configBytes: config,
            layers: image.layers)
        let (store, observer, request) = (store, observer, session.request)
        let cancellation = CancellationFlag()
        try await withTaskCancellationHandler {
            try await blocking {
                let exporter = ImageExporter(
                    store: store, checkCancellation: { try cancellation.check() },
                    notice: { observer(.notice($0)) })
                for output in request.outputs {
                    try exporter.export(exportable, to: output, as: request.tags)
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    private static func checkIsolation(_ isolation: BuildRequest.Isolation) throws(BuildError) {
        switch isolation {
        case .auto, .userns: return
        case .chroot, .none:
            throw BuildError(
                .host, "--isolation \(isolation.rawValue) is not supported yet",
                hint: "user namespaces with subordinate ids are: --isolation userns")
        }
    }

    private static func check(_ requirements: Requirements?) throws(BuildError) {
        do throws(Requirements.Unmet) { try requirements?.check() } catch {
            throw BuildError(.host, error.message, hint: error.fact.remedy)
        }
    }

    /// A build argument that nobody asks for is most likely misspelt.
    private func warnOfUnusedArguments(_ session: BuildSession) {
        var known = Set(StageScope.proxyArguments.flatMap { [$0, $0.lowercased()] })
        known.formUnion([
            "SOURCE_DATE_EPOCH", Checks.argument, ContextFetcher.keepGitArgument,
        ])
        known.formUnion(GlobalScope.predefinedArguments(session.document, session.request).keys)
        for instruction in session.document.instructions {
            guard case .arg(let definitions) = instruction.operation else { continue }
            known.formUnion(definitions.map(\.name.text))
        }
        for name in session.request.buildArguments.keys.sorted() where !known.contains(name) {
            observer(.warning("build argument \(name) is not used: no ARG of that name"))
        }
    }
}
