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
        target = try Self.target(document, request.target)
        stages = [:]
        (firstSteps, stepCount) = ([:], 0)
        var pending = [target]
        while let index = pending.popLast() {
            if stages[index] != nil { continue }
            let planned = try Self.plan(document.stages[index], document, scope, request)
            stages[index] = planned
            pending += planned.dependencies
        }
        for index in stages.keys.sorted() {
            firstSteps[index] = stepCount + 1
            stepCount += stages[index]!.stage.instructions.count
        }
    }

    private static func target(_ document: DockerfileDocument, _ name: String?) throws -> Int {
        guard let name else { return document.stages.count - 1 }
        if let stage = document.stages.last(where: { $0.name == name.lowercased() }) { return stage.index }
        if let index = Int(name), document.stages.indices.contains(index) { return index }
        let names = document.stages.map(\.label).joined(separator: ", ")
        throw BuildError(.input, "unknown stage \(name)", hint: "--target takes one of: \(names)")
    }

    private static func plan(
        _ stage: Stage, _ document: DockerfileDocument, _ scope: GlobalScope, _ request: BuildRequest
    ) throws -> PlannedStage {
        try Support.check(stage, document, scope, request)
        var planned = PlannedStage(stage: stage, base: try base(of: stage, document, scope), origins: [:])
        for (index, instruction) in stage.instructions.enumerated() {
            guard case .copy(let copy) = instruction.operation, let word = copy.from else { continue }
            planned.origins[index] = try origin(word, of: stage, document)
        }
        return planned
    }

    private static func base(of stage: Stage, _ document: DockerfileDocument, _ scope: GlobalScope) throws -> Base {
        let word = stage.from.base
        let text = try document.expand(word, scope.value).text
        if text.isEmpty { throw document.error(.blankBase(word.text), at: word.range) }
        if let earlier = document.stages[..<stage.index].last(where: { $0.name == text.lowercased() }) {
            return .stage(earlier.index)
        }
        if text == "scratch" { return .scratch }
        if stage.name == text.lowercased() || document.stages[(stage.index + 1)...].contains(where: { $0.name == text.lowercased() }),
            !text.contains("/"), !text.contains(":")
        {
            // A later stage, or this one: an image of that name may exist, but nobody means it.
            throw document.error(
                stage.name == text.lowercased() ? .cyclicStages([text]) : .laterStage(text), at: word.range)
        }
        return .image(try reference(text, at: word, document))
    }

    private static func origin(_ word: Word, of stage: Stage, _ document: DockerfileDocument) throws -> CopyOrigin {
        let name = word.text.lowercased()
        if let earlier = document.stages[..<stage.index].last(where: { $0.name == name }) { return .stage(earlier.index) }
        if let index = Int(name) {
            guard document.stages.indices.contains(index) else {
                throw document.error(.stageIndexOutOfRange(index, count: document.stages.count), at: word.range)
            }
            if index == stage.index { throw document.error(.cyclicStages([stage.label]), at: word.range) }
            if index > stage.index { throw document.error(.laterStage(word.text), at: word.range) }
            return .stage(index)
        }
        if stage.name == name { throw document.error(.cyclicStages([word.text]), at: word.range) }
        if document.stages.contains(where: { $0.name == name }) {
            throw document.error(.laterStage(word.text), at: word.range)
        }
        return .image(try reference(word.text, at: word, document))
    }

    private static func reference(_ text: String, at word: Word, _ document: DockerfileDocument) throws -> Reference {
        do throws(ReferenceError) { return try Reference(parsing: text) } catch {
            throw BuildError(
                .input, error.description, location: "\(document.source.file):\(word.range.start.line)",
                excerpt: document.source.excerpt(word.range))
        }
    }
}
