/// Which stage needs which.
///
/// A base is an earlier stage of that name, else an image. `COPY --from` and a mount's `from` are looked
/// up among all stages, of one name the last; a stage that comes later cannot be used, and is an error
/// where it is, as in BuildKit. `COPY --from` may also be a number.
public struct StageGraph: Sendable, Equatable {
    /// What one stage uses.
    public struct Dependency: Sendable, Equatable {
        public enum Use: Sendable, Equatable { case base, copy, mount }
        public var stage: Int
        public var use: Use
        /// The instruction's index in the stage; nil for FROM.
        public var instruction: Int?
        /// The word that names it.
        public var range: SourceRange
    }

    private let stages: [Stage]
    /// By index of the stage, in the order of its instructions.
    public let dependencies: [[Dependency]]

    /// - Parameter bases: the base of each stage, expanded.
    /// - Throws: for a stage that uses itself or a later one, and for a number that no stage has.
    public init(_ document: DockerfileDocument, bases: [String]) throws(DockerfileError) {
        stages = document.stages
        var all: [[Dependency]] = []
        var earlier: [String: Int] = [:]
        var names: [String: Int] = [:]
        for stage in stages { if let name = stage.name { names[name] = stage.index } }
        for stage in stages {
            let base = bases.indices.contains(stage.index) ? bases[stage.index] : ""
            let word = stage.from.base
            guard !base.isEmpty else { throw document.error(.blankBase(word.text), at: word.range) }
            var found: [Dependency] = []
            if let index = earlier[base.lowercased()] {
                found.append(
                    Dependency(stage: index, use: .base, instruction: nil, range: word.range))
            }
            do throws(Fault) {
                for (index, instruction) in stage.instructions.enumerated() {
                    found += try Self.uses(
                        of: instruction.operation, index, names, count: document.stages.count)
                }
            } catch { throw document.error(error.problem, at: error.range ?? word.range) }
            all.append(found)
            if let name = stage.name { earlier[name] = stage.index }
        }
        dependencies = all
        try refuseCycles(document)
    }

    /// The stages needed for `target`, itself among them, each after what it needs.
    public func order(target: Int) -> [Int] {
        var needed = Set<Int>()
        var open = [target]
        while let index = open.popLast() {
            guard dependencies.indices.contains(index), needed.insert(index).inserted else {
                continue
            }
            open += dependencies[index].map(\.stage)
        }
        return needed.sorted()
    }

    /// The stages that one instruction names, in COPY or in mounts; of ONBUILD none, until it runs.
    private static func uses(
        of operation: Instruction.Operation, _ instruction: Int, _ names: [String: Int], count: Int
    ) throws(Fault) -> [Dependency] {
        switch operation {
        case .copy(let copy):
            guard let from = copy.from, let index = try index(from, names, count: count) else {
                return []
            }
            return [
                Dependency(stage: index, use: .copy, instruction: instruction, range: from.range)
            ]
        case .run(let run):
            return run.mounts.compactMap { flag in
                guard let from = flag.from, let index = names[from.lowercased()] else { return nil }
                return Dependency(
                    stage: index, use: .mount, instruction: instruction, range: flag.word.range)
            }
        default: return []
        }
    }

    /// By number or name; nil is no stage of this file.
    private static func index(
        _ from: Word, _ names: [String: Int], count: Int
    ) throws(Fault) -> Int? {
        guard let number = Int(from.text) else { return names[from.text.lowercased()] }
        guard (0..<count).contains(number) else {
            throw Fault(.stageIndexOutOfRange(number, count: count), at: from.range)
        }
        return number
    }

    /// Every stage must need earlier ones only. What needs a later one is part of a cycle, or just early.
    private func refuseCycles(_ document: DockerfileDocument) throws(DockerfileError) {
        for (index, uses) in dependencies.enumerated() {
            guard let use = uses.first(where: { $0.stage >= index }) else { continue }
            if let path = path(from: use.stage, to: index) {
                let names = ([index] + path).map { stages[$0].label }
                throw document.error(.cyclicStages(names), at: use.range)
            }
            throw document.error(.laterStage(stages[use.stage].label), at: use.range)
        }
    }

    /// The way from one stage to another along their dependencies, both ends included.
    private func path(from start: Int, to goal: Int) -> [Int]? {
        var cameFrom: [Int: Int] = [start: start]
        var open = [start]
        while let index = open.popLast() {
            if index == goal {
                var path = [goal]
                while let last = path.last, last != start, let before = cameFrom[last] {
                    path.append(before)
                }
                return path.reversed()
            }
            for next in dependencies[index].map(\.stage) where cameFrom[next] == nil {
                cameFrom[next] = index
                open.append(next)
            }
        }
        return nil
    }
}

extension DockerfileDocument {
    /// The stage that a `--target` means: by name, of one name the last; or by number.
    ///
    /// Without a target it is the last stage.
    public func stage(target: String?) throws(DockerfileError) -> Stage {
        let last = stages[stages.count - 1]
        guard let target, !target.isEmpty else { return last }
        if let named = stages.last(where: { $0.name == target.lowercased() }) { return named }
        if let number = Int(target) {
            if stages.indices.contains(number) { return stages[number] }
            let problem = DockerfileError.Problem.stageIndexOutOfRange(number, count: stages.count)
            throw error(problem, at: last.instruction.range)
        }
        let near = nearest(to: target, among: stages.compactMap(\.name))
        throw error(.unknownStage(target, suggestion: near), at: last.instruction.range)
    }
}
