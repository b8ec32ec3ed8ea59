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
    /// Of the platform.
    let plan: Plan
    let planned: Plan.PlannedStage
    /// States of the stages that this one needs.
    let finished: [Int: StageState]
    var state: StageState
    /// CMD was set in this stage: an ENTRYPOINT takes only an inherited one away.
    var hasOwnCommand = false

    /// The state of the stage when all its instructions are done.
    static func solve(
        _ planned: Plan.PlannedStage, of plan: Plan, _ finished: [Int: StageState],
        in session: BuildSession
    ) async throws -> StageState {
        var solver = try await begin(planned, of: plan, finished, in: session)
        for (index, instruction) in planned.stage.instructions.enumerated() {
            try Task.checkCancellation()
            try await solver.perform(instruction, index)
        }
        return solver.state
    }

    /// A solver that stands right after FROM.
    static func begin(
        _ planned: Plan.PlannedStage, of plan: Plan, _ finished: [Int: StageState],
        in session: BuildSession
    ) async throws -> StageSolver {
        var state = try await start(planned, finished, session)
        // The plan has them as instructions; who builds on this stage gets only those of its own.
        state.config.config.onBuild = []
        return StageSolver(
            session: session, plan: plan, planned: planned, finished: finished, state: state)
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
            do { try await perform(copy, instruction, index, step) } catch {
                throw suggestingStage(error, copy.from?.text, planned.origins[index])
            }
        case .add(let add): try await perform(add, instruction, index, step)
        case .workdir(let word):
            try await performWorkingDirectory(word, instruction, index, step)
        default:
            session.observer(.stepStarted(step))
            try configure(instruction)
            session.observer(.stepDone(step, seconds: 0, isPacking: false))
        }
    }

    /// An image that is not there was perhaps meant to be a stage.
    func suggestingStage(
        _ error: any Error, _ from: String?, _ origin: Plan.CopyOrigin?
    ) -> any Error {
        guard var failure = error as? BuildError, let from, case .image? = origin else {
            return error
        }
        failure.suggestStage(near: from, among: session.document.stages)
        return failure
    }

    private func event(_ instruction: Instruction, _ index: Int) -> BuildEvent.Step {
        let isOnly = session.document.stages.count == 1
        return BuildEvent.Step(
            number: session.stepsBefore(plan) + plan.firstSteps[planned.stage.index]! + index,
            total: session.stepCount, line: instruction.range.start.line,
            stage: isOnly ? "" : planned.stage.label, text: instruction.text,
            platform: session.plans.count == 1 ? "" : plan.platform.description)
    }

    /// Adds the place in the Dockerfile to an error that has none.
    func located(_ error: any Error, at range: SourceRange) -> any Error {
        if error is CancellationError || error is DockerfileError { return error }
        let failure = BuildError(any: error)
        if failure.location != nil { return failure }
        return session.error(failure.category, failure.message, at: range, hint: failure.hint)
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
