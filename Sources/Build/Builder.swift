import Dockerfile
import Doctor
import HTTP
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

    /// Loads what asks registries, which takes a while, on a thread of its own: for programs that have other things to do before they build.
    public static func expectBuild() { HTTPClient.loadAhead() }

    private func carryOut(_ request: BuildRequest) async throws -> BuildResult {
        raiseOpenFileLimit()
        try Self.checkIsolation(request.isolation)
        try Self.check(request.requirements)
        // Held until the end of the build: nobody prunes what it stands on.
        let lock = try store.enter()
        defer { withExtendedLifetime(lock) {} }
        return try await withSession(request) { try await run($0) }
    }

    /// Reads and plans what `request` asks for, for each of its platforms; nothing has run yet when `body` begins.
    func withSession<Value>(
        _ request: BuildRequest, isRehearsal: Bool = false,
        _ body: (BuildSession) async throws -> Value
    ) async throws -> Value {
        let images = ImageSource(store: store, request: request, observer: observer)
        let remote = RemoteFiles(
            store: store, counter: images.counter, secrets: RemoteSecrets(request.secrets))
        let archives = ArchiveReaderClient()
        defer { archives.finish() }
        let fetcher = ContextFetcher(request, store: store, remote: remote, archives: archives)
        defer { fetcher.removeFiles() }
        let (text, context) = try await read(request, fetcher)
        let document = try text.parse(arguments: request.buildArguments)
        let policyDigest = BuildSession.beginPolicyDigest()
        let weaknesses = Weaknesses(request.requirements, observer: observer)
        let foresight = Foresight(text, request, store)
        let expectsRun = document.instructions.contains { $0.kind == .run }
        let worker = WorkerClient(
            request, store: store, expectsRun: expectsRun, weaknesses: weaknesses)
        if expectsRun, !isRehearsal, foresight.expectsWork { worker.begin() }
        do {
            let planned = try await plan(document, request, images)
            try Checks.report(document, planned, context, request, to: observer)
            let plans = planned.map(\.plan)
            let session = try BuildSession(
                request: request, document: document, plans: plans, store: store, images: images,
                worker: worker, remote: remote, archives: archives, context: context,
                emulators: Emulation(for: plans, document).emulators, policyDigest: policyDigest,
                foresight: foresight, weaknesses: weaknesses, isRehearsal: isRehearsal,
                observer: observer)
            return try await body(session)
        } catch {
            // Perhaps it has begun, and there was nothing for it to do.
            await worker.finish()
            guard let error = error as? DockerfileError else { throw error }
            var failure = BuildError(any: error)
            failure.excerpt = error.excerpt(in: document.source)
            throw failure
        }
    }

    /// One plan for each platform.
    private func plan(
        _ document: DockerfileDocument, _ request: BuildRequest, _ images: ImageSource
    ) async throws -> [Planner.Outcome] {
        var planned: [Planner.Outcome] = []
        for platform in request.platforms {
            let planner = Planner(request: request, images: images, platform: platform)
            planned.append(try await planner.plan(document))
        }
        if planned.count > 1 {
            for outcome in planned { try outcome.plan.checkTargetPlatform() }
        }
        return planned
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
            warnOfUnused(session)
            let states = try await StageScheduler(session: session).solveAll()
            let built = try await assemble(states, session)
            try await deliver(built, session)
            session.foresight.remember(at: session.now)
            outcome = .success(
                BuildResult(
                    manifest: built.top,
                    config: built.images.count == 1 ? built.images[0].config : nil,
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
        result.insecureRuns = session.insecureRuns
        result.network = session.request.network
        result.allowances = session.request.allowances
        result.weaknesses = session.weaknesses.all
        return result
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

    private func warnOfUnused(_ session: BuildSession) {
        for name in unusedArguments(session) {
            observer(.warning("build argument \(name) is not used: no ARG of that name"))
        }
        let unused = session.plans.map { Set($0.unusedContexts) }
        let everywhere = unused.dropFirst().reduce(unused[0]) { $0.intersection($1) }
        for name in everywhere.sorted() {
            observer(.warning("build context \(name) is not used: nothing has that name"))
        }
    }

    /// A build argument that nobody asks for is most likely misspelt.
    private func unusedArguments(_ session: BuildSession) -> [String] {
        var known = Set(StageScope.proxyArguments.flatMap { [$0, $0.lowercased()] })
        known.formUnion([
            "SOURCE_DATE_EPOCH", Checks.argument, ContextFetcher.keepGitArgument,
        ])
        known.formUnion(BuiltInArguments.names)
        for plan in session.plans {
            known.formUnion(
                GlobalScope.predefinedArguments(
                    plan.document, session.request, for: plan.platform
                ).keys)
            for instruction in plan.document.instructions {
                guard case .arg(let definitions) = instruction.operation else { continue }
                known.formUnion(definitions.map(\.name.text))
            }
        }
        return session.request.buildArguments.keys.sorted().filter { !known.contains($0) }
    }
}
