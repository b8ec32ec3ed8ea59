import Dockerfile
import Linux
import OCI
import Store

/// A step: an instruction that makes files.
extension StageSolver {
    /// What a step gives that the store does not know yet.
    struct StepOutcome {
        /// Nil where nothing changed.
        var layer: SolvedLayer?
        /// Comes when the layer is packed; nil where there is none.
        var packed: Task<PackedLayer, any Error>?
        /// False where another place could give another result: it serves this build, and no other.
        var isReusable = true
    }

    /// One step: by its key from another stage of this build, from the store, or by `body`; then the state goes on from its result.
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
        if session.isRehearsal {
            guard let known = try await stored(event, key, basis) else {
                throw Rehearsal.WouldRun()
            }
            return push(known, key: stateKey, createdBy: createdBy)
        }
        let solver = self
        let (result, isShared) = try await session.steps.result(of: key) {
            if let known = try await solver.stored(event, key, basis) { return known }
            do { return try await solver.carryOut(event, key, basis, body) } catch {
                throw solver.located(error, at: range)
            }
        }
        if isShared { tellCached(event) }
        push(result, key: stateKey, createdBy: createdBy)
    }

    /// What the store has of a step.
    private func stored(
        _ event: BuildEvent.Step, _ key: Digest, _ basis: LayerBasis
    ) async throws -> SharedSteps.Result? {
        guard session.request.usesCache, let record = try session.store.step(key),
            try await record.basis == basis.digest
        else { return nil }
        tellCached(event)
        return SharedSteps.Result(
            layer: record.layer.map { SolvedLayer($0) }, created: record.created)
    }

    private func tellCached(_ event: BuildEvent.Step) {
        session.countStep(isCached: true)
        session.observer(.stepCached(event))
    }

    private func carryOut(
        _ event: BuildEvent.Step, _ key: Digest, _ basis: LayerBasis,
        _ body: () async throws -> StepOutcome
    ) async throws -> SharedSteps.Result {
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
            return SharedSteps.Result(
                layer: record(outcome, event, key, basis), created: session.now)
        } catch {
            let isCancelled = error is CancellationError || Task.isCancelled
            session.observer(isCancelled ? .stepCancelled(event) : .stepFailed(event))
            throw error
        }
    }

    /// Puts what a step gave on record when it is packed. Not waited for: the next step needs the files, not the blob.
    private func record(
        _ outcome: StepOutcome, _ event: BuildEvent.Step, _ key: Digest, _ basis: LayerBasis
    ) -> SolvedLayer? {
        let (session, plan, stage) = (session, plan, planned.stage.index)
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
            session.beginUpload(of: blob, madeBy: stage, of: plan)
            return result.record
        }
        session.track(Task { _ = try await recording.value })
        return SolvedLayer(upper: layer.upper, listing: layer.fresh, packing: recording)
    }

    private mutating func push(_ result: SharedSteps.Result, key: Digest, createdBy: String) {
        if let layer = result.layer {
            state.layers.append(layer)
            state.basis = state.basis.adding(layer)
        }
        state.key = key
        state.created = result.created
        addHistory(createdBy, isEmpty: result.layer == nil)
    }
}
