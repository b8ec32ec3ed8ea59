import Dockerfile
import OCI

/// Goes through the plan of one platform as a build does, up to the first step of each stage that the store can't answer.
struct Rehearsal {
    let session: BuildSession
    let plan: Plan

    /// A step that the store does not have: where a build would begin to work, a rehearsal ends.
    struct WouldRun: Error {}

    func forecast() async throws -> Forecast {
        var finished: [Int: StageState] = [:]
        var outlooks: [Int: [Forecast.Outlook]] = [:]
        for index in plan.stages.keys.sorted() {
            let (found, state) = try await StageSolver.rehearse(
                plan.stages[index]!, of: plan, finished, in: session)
            outlooks[index] = found
            finished[index] = state
        }
        var stages: [Forecast.Stage] = []
        for (index, outlooks) in outlooks.sorted(by: { $0.key < $1.key }) {
            stages.append(try await describe(plan.stages[index]!, outlooks))
        }
        let pruned = plan.document.stages.filter { plan.stages[$0.index] == nil }.map { stage in
            Forecast.Pruned(
                index: stage.index, label: stage.label, line: stage.instruction.range.start.line)
        }
        return Forecast(
            target: plan.document.stages[plan.target].label, stages: stages, pruned: pruned,
            downloads: try await Downloads(session: session, plan: plan, outlooks: outlooks).all())
    }

    private func describe(
        _ planned: Plan.PlannedStage, _ outlooks: [Forecast.Outlook]
    ) async throws -> Forecast.Stage {
        let stage = planned.stage
        let first = session.stepsBefore(plan) + plan.firstSteps[stage.index]!
        let steps = zip(stage.instructions, outlooks).enumerated().map { index, pair in
            Forecast.Step(
                number: first + index, line: pair.0.range.start.line, text: pair.0.text,
                outlook: pair.1)
        }
        let base: String =
            switch planned.base {
            case .scratch: "scratch"
            case .stage(let index): plan.document.stages[index].label
            case .image(let reference): reference.familiar
            case .context(let context): "\(context)"
            }
        return Forecast.Stage(
            index: stage.index, label: stage.label, line: stage.instruction.range.start.line,
            base: base, baseDigest: try await session.baseImage(of: planned)?.top.digest,
            platform: planned.platform, target: plan.platform, steps: steps)
    }
}

extension BuildSession {
    /// The image that a stage begins with; nil where it begins with something else. It has been looked up before.
    func baseImage(of planned: Plan.PlannedStage) async throws -> BaseImage? {
        switch planned.base {
        case .scratch, .stage: nil
        case .image(let reference):
            try await images.image(of: .image(reference), planned.platform)
        case .context(let context): try await images.image(of: context, planned.platform)
        }
    }
}

extension StageSolver {
    /// What is known of each instruction; and the stage's state, where all of it is known.
    static func rehearse(
        _ planned: Plan.PlannedStage, of plan: Plan, _ finished: [Int: StageState],
        in session: BuildSession
    ) async throws -> ([Forecast.Outlook], StageState?) {
        if case .stage(let index) = planned.base, finished[index] == nil {
            return (planned.stage.instructions.map { $0.makesFiles ? .unknown : .config }, nil)
        }
        var solver = try await begin(planned, of: plan, finished, in: session)
        var outlooks: [Forecast.Outlook] = []
        var isKnown = true
        for (index, instruction) in planned.stage.instructions.enumerated() {
            try Task.checkCancellation()
            let reads = planned.stages(readBy: index)
            isKnown = isKnown && reads.isSubset(of: finished.keys)
            if isKnown { isKnown = try !solver.wouldFetch(instruction) }
            guard isKnown else {
                outlooks.append(instruction.makesFiles ? .unknown : .config)
                continue
            }
            do {
                try await solver.perform(instruction, index)
                outlooks.append(instruction.makesFiles ? .cached : .config)
            } catch is Rehearsal.WouldRun {
                outlooks.append(.runs)
                isKnown = false
            }
        }
        return (outlooks, isKnown ? solver.state : nil)
    }
}

extension StageSolver {
    /// Whether already the step's key is made of files that are not here: of what a URL or a repository holds now, or of the
    /// names of an image's users.
    fileprivate func wouldFetch(_ instruction: Instruction) throws -> Bool {
        switch instruction.operation {
        case .add(let add):
            let paths = try add.sources.paths.map { try expand($0) }
            // The checksum of a file says what its URL holds.
            let isPinned = add.checksum != nil && !paths.contains { AddSource.isGit($0) }
            let isRemote = !isPinned && paths.contains { AddSource.isRemote($0) }
            return isRemote || (add.isLinked && add.owner != nil)
        case .copy(let copy): return copy.isLinked && copy.owner != nil
        default: return false
        }
    }
}

extension Instruction {
    /// A step, which gives a layer or nothing; all others change the config only.
    var makesFiles: Bool {
        switch kind {
        case .run, .copy, .add, .workdir: true
        default: false
        }
    }
}
