import Dockerfile
import OCI

/// Makes the plan of a build for one platform: what the Dockerfile says, and what the ONBUILD triggers of its bases add.
///
/// Manifests and configs of bases are looked up here, before anything runs; no layer is fetched.
struct Planner {
    let request: BuildRequest
    let images: ImageSource
    let platform: Platform

    struct Outcome {
        var plan: Plan
        /// By the index of the stage that stands on it.
        var bases: [Int: BaseImage]
    }

    /// - Throws: what `Plan` throws; and, with the FROM's place, why a base can't be had.
    func plan(_ document: DockerfileDocument) async throws -> Outcome {
        var triggers: [Int: [Instruction]] = [:]
        var bases: [Int: BaseImage] = [:]
        while true {
            // A trigger may copy from a stage that was not needed before, whose base may have triggers.
            let plan = try Plan(
                document, triggers: triggers, request: request, for: platform)
            let new = plan.stages.values.filter { triggers[$0.stage.index] == nil }
            bases.merge(try await look(for: new, document)) { $1 }
            for planned in new {
                let index = planned.stage.index
                triggers[index] = try Self.triggers(of: planned, bases[index], document)
            }
            if new.allSatisfy({ triggers[$0.stage.index]!.isEmpty }) {
                return Outcome(plan: plan, bases: bases)
            }
        }
    }

    // MARK: - Bases

    private func look(
        for stages: [Plan.PlannedStage], _ document: DockerfileDocument
    ) async throws -> [Int: BaseImage] {
        try await withThrowingTaskGroup(of: (Int, BaseImage).self) { group in
            for planned in stages {
                let context: NamedContext
                switch planned.base {
                case .scratch, .stage: continue
                case .image(let reference): context = .image(reference)
                case .context(let named): context = named
                }
                group.addTask {
                    (planned.stage.index, try await image(context, planned, document))
                }
            }
            var found: [Int: BaseImage] = [:]
            for try await (index, image) in group { found[index] = image }
            return found
        }
    }

    private func image(
        _ context: NamedContext, _ planned: Plan.PlannedStage, _ document: DockerfileDocument
    ) async throws -> BaseImage {
        do { return try await images.image(of: context, planned.platform) } catch {
            if error is CancellationError { throw error }
            var failure = BuildError(any: error)
            if failure.location == nil {
                failure.place(at: planned.stage.from.base.range, document)
            }
            if case .image = planned.base {
                let earlier = Array(document.stages[..<planned.stage.index])
                failure.suggestStage(near: planned.stage.from.base.text, among: earlier)
            }
            throw failure
        }
    }

    // MARK: - Triggers

    /// What comes right after FROM: of a base image, or of the stage below. They go one generation far.
    private static func triggers(
        of planned: Plan.PlannedStage, _ base: BaseImage?, _ document: DockerfileDocument
    ) throws -> [Instruction] {
        if case .stage(let index) = planned.base {
            return document.stages[index].instructions.compactMap { instruction in
                guard case .onBuild(let trigger) = instruction.operation else { return nil }
                return trigger.instruction
            }
        }
        guard let base, !base.config.config.onBuild.isEmpty else { return [] }
        let place = planned.stage.from.base.range
        if planned.isReplaced {
            throw BuildError(
                .input,
                "\(base.name) has ONBUILD triggers, and a context that stands for a whole stage can't carry them out",
                at: place, in: document)
        }
        return try base.config.config.onBuild.map { expression in
            do throws(DockerfileError) {
                return try DockerfileDocument.parseTrigger(
                    expression, file: document.source.file, at: place)
            } catch {
                throw BuildError(
                    .input,
                    "an ONBUILD trigger of \(base.name) can't be carried out: \(error.problem)",
                    at: place, in: document)
            }
        }
    }
}

extension BuildError {
    /// Adds the stage whose name is nearest to that of an image which could not be had.
    mutating func suggestStage(near name: String, among stages: [Stage]) {
        guard let near = nearest(to: name, among: stages.compactMap(\.name)) else { return }
        hint = "did you mean the stage \(near)?" + (hint.map { " Else: \($0)" } ?? "")
    }
}
