import Dockerfile
import OCI

/// Which stages a build for one platform needs, and what each stands on: a value, made without a kernel, a network or a store.
struct Plan: Sendable {
    /// Where a stage's files begin.
    enum Base: Sendable, Equatable {
        case scratch
        case stage(Int)
        case image(Reference)
        case context(NamedContext)
    }

    /// Where a `COPY --from` takes its files.
    enum CopyOrigin: Sendable, Equatable {
        case stage(Int)
        case image(Reference)
        case context(NamedContext)
    }

    struct PlannedStage: Sendable {
        /// With what the triggers of its base bring, right after FROM.
        var stage: Stage
        var base: Base
        /// What its files are for.
        var platform: Platform
        /// By the index of the instruction in the stage.
        var origins: [Int: CopyOrigin]
        /// Where the mounts of a RUN take their files, by the index of the instruction, then of the mount.
        var mountOrigins: [Int: [Int: CopyOrigin]] = [:]
        /// A named context stands for the whole stage: none of its instructions is carried out.
        var isReplaced = false

        /// Stages that must be there first.
        var dependencies: Set<Int> {
            var result = stage.instructions.indices.reduce(into: Set<Int>()) {
                $0.formUnion(stages(readBy: $1))
            }
            if case .stage(let index) = base { result.insert(index) }
            return result
        }

        /// Where one instruction takes files from, beside the build context.
        func sources(readBy index: Int) -> [CopyOrigin] {
            let mounts = (mountOrigins[index] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
            return (origins[index].map { [$0] } ?? []) + mounts
        }

        /// Stages whose files one instruction reads.
        func stages(readBy index: Int) -> Set<Int> {
            var result: Set<Int> = []
            for case .stage(let stage) in sources(readBy: index) { result.insert(stage) }
            return result
        }
    }

    let document: DockerfileDocument
    /// What is built for: a stage may say otherwise for itself.
    let platform: Platform
    /// The stages that are needed, by index.
    var stages: [Int: PlannedStage]
    var target: Int
    /// The first step's number of each stage; steps are counted through the file, over the stages that are needed.
    var firstSteps: [Int: Int]
    var stepCount: Int
    /// Names of `--build-context` that nothing in the plan uses, sorted.
    var unusedContexts: [String]

    /// Whether the layers of a stage are layers of the image: the target's, and those of the stages that it stands on.
    func isPartOfImage(_ stage: Int) -> Bool {
        var current = target
        while current != stage {
            guard case .stage(let below)? = stages[current]?.base else { return false }
            current = below
        }
        return true
    }

    /// Whether a RUN stands on the files that instruction `index` of a stage makes: a later one of it, or one of a stage on top of it.
    func hasRun(after index: Int, of stage: Int) -> Bool {
        if stages[stage]!.stage.instructions.dropFirst(index + 1).contains(where: {
            $0.kind == .run
        }) {
            return true
        }
        return stages.values.contains { above in
            above.base == .stage(stage) && hasRun(after: -1, of: above.stage.index)
        }
    }

    /// - Parameter triggers: what comes right after FROM, by the index of the stage.
    /// - Throws: `DockerfileError` for what the Dockerfile says wrong, `BuildError` for what is not carried out yet.
    init(
        _ written: DockerfileDocument, triggers: [Int: [Instruction]] = [:],
        request: BuildRequest, for platform: Platform
    ) throws {
        var document = written
        for (index, triggers) in triggers {
            document.stages[index].instructions.insert(contentsOf: triggers, at: 0)
        }
        (self.document, self.platform) = (document, platform)
        let scope = try GlobalScope(document, request: request, for: platform)
        let bases = try document.stages.map { try document.expand($0.from.base, scope.value).text }
        let graph = try StageGraph(document, bases: bases)
        var contexts = ContextNames(request.namedContexts)
        target = try document.stage(target: request.target).index
        stages = [:]
        (firstSteps, stepCount) = ([:], 0)
        for index in Self.order(target: target, graph, document, contexts) {
            let stage = document.stages[index]
            if index == target, let name = stage.name, let context = contexts.use(name) {
                stages[index] = Self.replaced(stage, by: context, platform)
            } else {
                var planned = try Self.plan(
                    stage, base: bases[index], graph.dependencies[index], document, &contexts)
                planned.platform = try Self.platform(
                    of: planned, below: stages, document, scope, platform)
                try Support.check(planned, document, allowed: request.allowances)
                stages[index] = planned
            }
            firstSteps[index] = stepCount + 1
            stepCount += stages[index]!.stage.instructions.count
        }
        unusedContexts = contexts.unused
    }

    /// The stages that are needed, each after what it needs. One that a named context stands for is needed as a target only.
    private static func order(
        target: Int, _ graph: StageGraph, _ document: DockerfileDocument, _ contexts: ContextNames
    ) -> [Int] {
        func isReplaced(_ index: Int) -> Bool {
            document.stages[index].name.map { contexts[$0] != nil } ?? false
        }
        var needed: Set<Int> = []
        var open = [target]
        while let index = open.popLast() {
            guard needed.insert(index).inserted, !isReplaced(index) else { continue }
            open += graph.dependencies[index].map(\.stage).filter { !isReplaced($0) }
        }
        return needed.sorted()
    }

    /// A stage whose name stands for something else: none of its instructions is carried out.
    private static func replaced(
        _ stage: Stage, by context: NamedContext, _ platform: Platform
    ) -> PlannedStage {
        var stage = stage
        stage.instructions = []
        return PlannedStage(
            stage: stage, base: .context(context), platform: platform, origins: [:],
            isReplaced: true)
    }

    /// What FROM says, else what is built; a stage on another one is for what that is for.
    private static func platform(
        of planned: PlannedStage, below stages: [Int: PlannedStage], _ document: DockerfileDocument,
        _ scope: GlobalScope, _ wanted: Platform
    ) throws -> Platform {
        let inherited: Platform? =
            if case .stage(let index) = planned.base { stages[index]?.platform } else { nil }
        guard let word = planned.stage.from.platform else { return inherited ?? wanted }
        let text = try document.expand(word, scope.value).text
        guard let platform = try? Platform(parsing: text) else {
            throw BuildError(
                .input, "\"\(Harmless.text(text, limit: 100))\" is no platform",
                at: word.range, in: document)
        }
        if let inherited, inherited.normalized != platform.normalized {
            throw BuildError(
                .input,
                "the stage below is for \(inherited), so this one can't be for \(platform)",
                at: word.range, in: document)
        }
        return platform.normalized
    }

    private static func plan(
        _ stage: Stage, base: String, _ uses: [StageGraph.Dependency],
        _ document: DockerfileDocument, _ contexts: inout ContextNames
    ) throws -> PlannedStage {
        let word = stage.from.base
        let plannedBase: Base
        if let use = uses.first(where: { $0.use == .base }) {
            let name = document.stages[use.stage].name
            plannedBase =
                name.flatMap { contexts.use($0) }.map { .context($0) } ?? .stage(use.stage)
        } else if base == "scratch" {
            plannedBase = .scratch
        } else if let context = contexts.use(base) {
            plannedBase = .context(context)
        } else {
            plannedBase = .image(try reference(base, at: word, document))
        }
        var planned = PlannedStage(
            stage: stage, base: plannedBase, platform: .host, origins: [:])
        planned.mountOrigins = try mountOrigins(stage, uses, document, &contexts)
        for (index, instruction) in stage.instructions.enumerated() {
            guard case .copy(let copy) = instruction.operation, let from = copy.from else {
                continue
            }
            let use = uses.first { $0.use == .copy && $0.instruction == index }
            // By number or by name, it is the stage's name that counts.
            let name = use.map { document.stages[$0.stage].name } ?? from.text
            planned.origins[index] =
                if let context = name.flatMap({ contexts.use($0) }) {
                    .context(context)
                } else if let use {
                    .stage(use.stage)
                } else { .image(try reference(from.text, at: from, document)) }
        }
        return planned
    }

    /// Of several images, each has to be for its own platform.
    func checkTargetPlatform() throws(BuildError) {
        let planned = stages[target]!
        if planned.platform.normalized == platform.normalized { return }
        let from = planned.stage.from
        throw BuildError(
            .input,
            "this stage is for \(planned.platform) in any case, so there can't be an image for \(platform)",
            at: (from.platform ?? from.base).range, in: document,
            hint: "leave --platform out of the last FROM, or build for one platform")
    }

    static func reference(_ text: String, at word: Word, _ document: DockerfileDocument)
        throws -> Reference
    {
        do throws(ReferenceError) { return try Reference(parsing: text) } catch {
            throw BuildError(.input, error.description, at: word.range, in: document)
        }
    }
}
