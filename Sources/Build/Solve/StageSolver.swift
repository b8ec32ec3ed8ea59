import Dockerfile
import Linux
import OCI
import Store

/// Carries out one stage, instruction by instruction.
///
/// What only changes the config is done at once (`StageSolver+Config`); what makes files is a step: answered by the store, or
/// carried out (`+Run`, `+Copy`, `+WorkingDirectory`).
struct StageSolver {
    let session: BuildSession
    let planned: Plan.PlannedStage
    /// States of the stages that this one needs.
    let finished: [Int: StageState]
    var state: StageState
    /// CMD was set in this stage: an ENTRYPOINT takes only an inherited one away.
    var hasOwnCommand = false

    /// The state of the stage when all its instructions are done.
    static func solve(
        _ planned: Plan.PlannedStage, _ finished: [Int: StageState], in session: BuildSession
    ) async throws -> StageState {
        var solver = try await begin(planned, finished, in: session)
        for (index, instruction) in planned.stage.instructions.enumerated() {
            try Task.checkCancellation()
            try await solver.perform(instruction, index)
        }
        return solver.state
    }

    /// A solver that stands right after FROM.
    static func begin(
        _ planned: Plan.PlannedStage, _ finished: [Int: StageState], in session: BuildSession
    ) async throws -> StageSolver {
        var state = try await start(planned, finished, session)
        // The plan has them as instructions; who builds on this stage gets only those of its own.
        state.config.config.onBuild = []
        return StageSolver(session: session, planned: planned, finished: finished, state: state)
    }

    private static func start(
        _ planned: Plan.PlannedStage, _ finished: [Int: StageState], _ session: BuildSession
    ) async throws -> StageState {
        switch planned.base {
        case .scratch: return .scratch(planned.platform)
        case .stage(let index): return StageState(on: finished[index]!)
        case .image(let reference): return try await start(planned, on: .image(reference), session)
        case .context(let context): return try await start(planned, on: context, session)
        }
    }

    private static func start(
        _ planned: Plan.PlannedStage, on base: NamedContext, _ session: BuildSession
    ) async throws -> StageState {
        do {
            return StageState(try await session.images.image(of: base, planned.platform))
        } catch let error as BuildError where error.location == nil {
            throw session.error(
                error.category, error.message, at: planned.stage.from.base.range, hint: error.hint)
        }
    }

    mutating func perform(_ instruction: Instruction, _ index: Int) async throws {
        let step = event(instruction, index)
        switch instruction.operation {
        case .run(let run): try await perform(run, instruction, index, step)
        case .copy(let copy):
            do { try await perform(copy, instruction, planned.origins[index], step) } catch {
                throw suggestingStage(error, copy.from, planned.origins[index])
            }
        case .add(let add): try await perform(add, instruction, step)
        case .workdir(let word): try await performWorkingDirectory(word, instruction, step)
        default:
            session.observer(.stepStarted(step))
            try configure(instruction)
            session.observer(.stepDone(step, seconds: 0, isPacking: false))
        }
    }

    /// An image that is not there was perhaps meant to be a stage.
    private func suggestingStage(
        _ error: any Error, _ from: Word?, _ origin: Plan.CopyOrigin?
    ) -> any Error {
        guard var failure = error as? BuildError, let from, case .image? = origin else {
            return error
        }
        failure.suggestStage(near: from.text, among: session.document.stages)
        return failure
    }

    private func event(_ instruction: Instruction, _ index: Int) -> BuildEvent.Step {
        let isOnly = session.document.stages.count == 1
        return BuildEvent.Step(
            number: session.plan.firstSteps[planned.stage.index]! + index,
            total: session.plan.stepCount,
            line: instruction.range.start.line, stage: isOnly ? "" : planned.stage.label,
            text: instruction.text)
    }

    // MARK: - Steps

    /// What a step gives that the store does not know yet.
    struct StepOutcome {
        /// Nil where nothing changed.
        var layer: SolvedLayer?
        /// Comes when the layer is packed; nil where there is none.
        var packed: Task<PackedLayer, any Error>?
        /// False where another place could give another result: it serves this build, and no other.
        var isReusable = true
    }

    /// One step: by its key from the store, or by `body`; then the state goes on from its result.
    ///
    /// - Parameters:
    ///   - other: the layers of another stage that the step reads.
    ///   - isLinked: whether its layer is the same whatever it is put on: neither `key` nor the layer depends on the state.
    mutating func step(
        _ event: BuildEvent.Step, key: Digest, createdBy: String, at range: SourceRange,
        reading other: LayerBasis? = nil, isLinked: Bool = false,
        _ body: () async throws -> StepOutcome
    ) async throws {
        let below = isLinked ? LayerBasis() : state.basis
        let basis = other.map { below.adding($0) } ?? below
        let stateKey = isLinked ? CacheKey.joined(state.key, key) : key
        if session.request.usesCache, let record = try session.store.step(key),
            try await record.basis == basis.digest
        {
            push(
                record.layer.map { SolvedLayer($0) }, key: stateKey, createdBy: createdBy,
                created: record.created)
            session.countStep(isCached: true)
            session.observer(.stepCached(event))
            return
        }
        if session.isRehearsal { throw Rehearsal.WouldRun() }
        session.countStep(isCached: false)
        session.observer(.stepStarted(event))
        let started = monotonicSeconds()
        do {
            let outcome = try await body()
            // Said before the layer can be packed.
            session.observer(
                .stepDone(
                    event, seconds: monotonicSeconds() - started,
                    isPacking: outcome.packed != nil && outcome.layer != nil))
            let solved = record(outcome, event, key, basis)
            push(solved, key: stateKey, createdBy: createdBy, created: session.now)
        } catch {
            let isCancelled = error is CancellationError || Task.isCancelled
            session.observer(isCancelled ? .stepCancelled(event) : .stepFailed(event))
            throw located(error, at: range)
        }
    }

    /// Puts what a step gave on record when it is packed. Not waited for: the next step needs the files, not the blob.
    private func record(
        _ outcome: StepOutcome, _ event: BuildEvent.Step, _ key: Digest, _ basis: LayerBasis
    ) -> SolvedLayer? {
        let (session, stage) = (session, planned.stage.index)
        let (store, created, observer) = (session.store, session.now, session.observer)
        let isReusable = outcome.isReusable
        guard let packed = outcome.packed, let layer = outcome.layer else {
            if !isReusable { return nil }
            session.track(
                Task {
                    try store.keepStep(
                        key,
                        StepRecord(
                            layer: nil, compressor: nil, basis: try await basis.digest,
                            created: created))
                })
            return nil
        }
        let recording = Task {
            let result = try await packed.value
            if isReusable {
                try store.keepStep(
                    key,
                    StepRecord(
                        layer: result.record, compressor: result.compressor,
                        basis: try await basis.digest, created: created))
            }
            let blob = result.record.blob
            observer(.layerPacked(event, digest: blob.digest, size: blob.size))
            session.beginUpload(of: blob, madeBy: stage)
            return result.record
        }
        session.track(Task { _ = try await recording.value })
        return SolvedLayer(upper: layer.upper, listing: layer.fresh, packing: recording)
    }

    /// Adds the place in the Dockerfile to an error that has none.
    func located(_ error: any Error, at range: SourceRange) -> any Error {
        if error is CancellationError || error is DockerfileError { return error }
        let failure = BuildError(any: error)
        if failure.location != nil { return failure }
        return session.error(failure.category, failure.message, at: range, hint: failure.hint)
    }

    private mutating func push(
        _ layer: SolvedLayer?, key: Digest, createdBy: String, created: Timestamp
    ) {
        if let layer {
            state.layers.append(layer)
            state.basis = state.basis.adding(layer)
        }
        state.key = key
        state.created = created
        addHistory(createdBy, isEmpty: layer == nil)
    }

    mutating func addHistory(_ createdBy: String, isEmpty: Bool) {
        state.config.history.append(
            History(
                created: state.created ?? session.now, createdBy: createdBy, comment: "lichen",
                emptyLayer: isEmpty))
    }

    // MARK: - Words

    /// The value of a word, with this stage's variables.
    func expand(_ word: Word) throws(DockerfileError) -> String { try expansion(word).text }

    func expansion(_ word: Word) throws(DockerfileError) -> Expansion {
        let scope = state.scope
        return try session.document.expand(word, scope.value)
    }
}
