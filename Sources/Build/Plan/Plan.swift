import Dockerfile
import OCI

/// Which stages a build needs, and what each stands on: a value, made without a kernel, a network or a store.
struct Plan: Sendable {
    /// Where a stage's files begin.
    enum Base: Sendable, Equatable {
        case scratch
        case stage(Int)
        case image(Reference)
    }

    /// Where a `COPY --from` takes its files.
    enum CopyOrigin: Sendable, Equatable {
        case stage(Int)
        case image(Reference)
    }

    struct PlannedStage: Sendable {
        var stage: Stage
        var base: Base
        /// By the index of the instruction in the stage.
        var origins: [Int: CopyOrigin]

        /// Stages that must be there first.
        var dependencies: Set<Int> {
            var result: Set<Int> = []
            if case .stage(let index) = base { result.insert(index) }
            for case .stage(let index) in origins.values { result.insert(index) }
            return result
        }
    }

    let document: DockerfileDocument
    /// The stages that are needed, by index.
    var stages: [Int: PlannedStage]
    var target: Int
    /// The first step's number of each stage; steps are counted through the file, over the stages that are needed.
    var firstSteps: [Int: Int]
    var stepCount: Int

    /// - Throws: `DockerfileError` for what the Dockerfile says wrong, `BuildError` for what is not carried out yet.
    init(_ document: DockerfileDocument, request: BuildRequest) throws {
        self.document = document
        let scope = try GlobalScope(document, request: request)
        let bases = try document.stages.map { try document.expand($0.from.base, scope.value).text }
        let graph = try StageGraph(document, bases: bases)
        target = try document.stage(target: request.target).index
        stages = [:]
        (firstSteps, stepCount) = ([:], 0)
        for index in graph.order(target: target) {
            let stage = document.stages[index]
            try Support.check(stage, document, scope, request)
            stages[index] = try Self.plan(
                stage, base: bases[index], graph.dependencies[index], document)
            firstSteps[index] = stepCount + 1
            stepCount += stage.instructions.count
        }
    }

    private static func plan(
        _ stage: Stage, base: String, _ uses: [StageGraph.Dependency],
        _ document: DockerfileDocument
    ) throws -> PlannedStage {
        let word = stage.from.base
        let plannedBase: Base =
            if let use = uses.first(where: { $0.use == .base }) {
                .stage(use.stage)
            } else if base == "scratch" {
                .scratch
            } else { .image(try reference(base, at: word, document)) }
        var planned = PlannedStage(stage: stage, base: plannedBase, origins: [:])
        for (index, instruction) in stage.instructions.enumerated() {
            guard case .copy(let copy) = instruction.operation, let from = copy.from else {
                continue
            }
            planned.origins[index] =
                if let use = uses.first(where: { $0.use == .copy && $0.range == from.range }) {
                    .stage(use.stage)
                } else {
                    .image(try reference(from.text, at: from, document))
                }
        }
        return planned
    }

    private static func reference(_ text: String, at word: Word, _ document: DockerfileDocument)
        throws -> Reference
    {
        do throws(ReferenceError) { return try Reference(parsing: text) } catch {
            throw BuildError(
                .input, error.description,
                location: "\(document.source.file):\(word.range.start.line)",
                excerpt: document.source.excerpt(word.range))
        }
    }
}
