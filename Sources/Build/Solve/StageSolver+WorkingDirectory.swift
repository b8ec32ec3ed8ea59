import Dockerfile
import Layers
import Linux
import OCI

/// WORKDIR: a part of the config, and a directory that is made where the image has none.
extension StageSolver {
    mutating func performWorkingDirectory(
        _ word: Word, _ instruction: Instruction, _ index: Int, _ event: BuildEvent.Step
    ) async throws {
        let path = Self.cleaned(try expand(word), from: state.workingDirectory)
        let (session, current) = (session, state)
        let isForRun = plan.hasRun(after: index, of: planned.stage.index)
        var key = CacheKey("WORKDIR")
        key.add(state.key)
        key.add(path)
        key.add(state.config.config.user)
        key.add(session.request.sourceDateEpoch.map { String($0) })
        try await step(
            event, key: key.finish(), createdBy: CreatedBy.workdir(path), at: instruction.range
        ) {
            if isForRun { try await session.makeTrees(of: current.layers) }
            let parent = try await session.stack(of: current.layers)
            if let resolved = try? parent.resolve(path.utf8),
                resolved.entry?.kind == .directory || resolved.path.isRoot
            {
                return StepOutcome()
            }
            let user = try await session.identity(
                of: current.config.config.user, in: current.layers)
            let owner = LayerComposer.Attributes.Owner(uid: user.uid, gid: user.gid)
            return StepOutcome(
                try await session.compose(on: parent) { try $0.makeDirectories(path, owner: owner) }
            )
        }
        state.config.config.workingDir = path
    }

    /// An absolute path without ".", ".." and doubled slashes. Dockerfile reference, "WORKDIR".
    static func cleaned(_ path: String, from base: String) -> String {
        var components: [Substring] = path.hasPrefix("/") ? [] : base.split(separator: "/")
        for component in path.split(separator: "/") {
            switch component {
            case ".": continue
            case "..": _ = components.popLast()
            default: components.append(component)
            }
        }
        return "/" + components.joined(separator: "/")
    }
}
