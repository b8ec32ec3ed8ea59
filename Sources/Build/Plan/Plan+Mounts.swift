import Dockerfile

extension Plan {
    /// What the mounts of a stage's RUNs take their files from; one without `from` is not in it.
    ///
    /// As with `COPY --from`: a named context goes before a stage of that name, and that before an image.
    static func mountOrigins(
        _ stage: Stage, _ uses: [StageGraph.Dependency], _ document: DockerfileDocument,
        _ contexts: inout ContextNames
    ) throws -> [Int: [Int: CopyOrigin]] {
        var result: [Int: [Int: CopyOrigin]] = [:]
        for (index, instruction) in stage.instructions.enumerated() {
            guard case .run(let run) = instruction.operation else { continue }
            for (number, flag) in run.mounts.enumerated() {
                guard let from = flag.from else { continue }
                let use = uses.first { $0.use == .mount && $0.range == flag.word.range }
                let name = use.map { document.stages[$0.stage].name } ?? from
                result[index, default: [:]][number] =
                    if let context = name.flatMap({ contexts.use($0) }) {
                        .context(context)
                    } else if let use {
                        .stage(use.stage)
                    } else { .image(try reference(from, at: flag.word, document)) }
            }
        }
        return result
    }
}
