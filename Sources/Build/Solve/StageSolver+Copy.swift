import Contexts
import Dockerfile
import Layers
import Linux
import OCI
import Store

/// COPY and ADD: files of the context or of another stage become a layer; no tree is needed where they go.
extension StageSolver {
    /// What COPY and ADD have in common, expanded.
    struct Transfer: Sendable {
        var name: String
        var sources: [String]
        var destination: String
        var owner: String?
        var mode: String?
        var unpacks: Bool

        var createdBy: String {
            CreatedBy.copy(
                isAdd: name == "ADD", owner: owner, mode: mode, paths: sources,
                destination: destination)
        }
    }

    mutating func perform(
        _ copy: CopyInstruction, _ instruction: Instruction, _ origin: Plan.CopyOrigin?,
        _ event: BuildEvent.Step
    ) async throws {
        let transfer = Transfer(
            name: "COPY", sources: try copy.sources.paths.map { try expand($0) },
            destination: try expand(copy.sources.destination),
            owner: try copy.owner.map { try expand($0) },
            mode: try copy.mode.map { try expand($0) }, unpacks: false)
        switch origin {
        case nil:
            try await performFromContext(session.context.source, transfer, instruction, event)
        case .context(.directory(let path))?:
            let source = session.context.directories[path]!
            try await performFromContext(source, transfer, instruction, event)
        case .stage(let index)?:
            try await performFromImage(finished[index]!, transfer, instruction, event)
        case .image(let reference)?:
            let image = try await image(.image(reference), instruction)
            try await performFromImage(image, transfer, instruction, event)
        case .context(let context)?:
            let image = try await image(context, instruction)
            try await performFromImage(image, transfer, instruction, event)
        }
    }

    mutating func perform(
        _ add: AddInstruction, _ instruction: Instruction, _ event: BuildEvent.Step
    ) async throws {
        let transfer = Transfer(
            name: "ADD", sources: try add.sources.paths.map { try expand($0) },
            destination: try expand(add.sources.destination),
            owner: try add.owner.map { try expand($0) },
            mode: try add.mode.map { try expand($0) }, unpacks: true)
        try await performFromContext(session.context.source, transfer, instruction, event)
    }

    // MARK: - From the context

    private mutating func performFromContext(
        _ source: DirectorySource, _ transfer: Transfer, _ instruction: Instruction,
        _ event: BuildEvent.Step
    ) async throws {
        let (session, current) = (session, state)
        let selection: CopySelection
        do {
            let digests = session.digests
            selection = try await blocking {
                try CopySelection(transfer.sources, in: source, digests: digests)
            }
        } catch { throw located(error, at: instruction.range) }
        for notice in selection.notices { session.observer(.warning("\(event.line): \(notice)")) }
        var key = key(of: transfer)
        key.add(selection.digest)
        try await step(
            event, key: key.finish(), createdBy: transfer.createdBy, at: instruction.range
        ) {
            let attributes = try await Self.attributes(of: transfer, current, session)
            let parent = try await session.stack(of: current.layers)
            let directory = current.workingDirectory
            return StepOutcome(
                try await session.compose(on: parent) { composer in
                    if transfer.unpacks {
                        try composer.add(
                            selection, to: transfer.destination, workingDirectory: directory,
                            attributes)
                    } else {
                        try composer.copy(
                            selection, to: transfer.destination, workingDirectory: directory,
                            attributes)
                    }
                })
        }
    }

    // MARK: - From another stage or image

    func image(_ context: NamedContext, _ instruction: Instruction) async throws
        -> StageState
    {
        do {
            return StageState(
                try await session.images.image(of: context, session.request.platform))
        } catch { throw located(error, at: instruction.range) }
    }

    private mutating func performFromImage(
        _ from: StageState, _ transfer: Transfer, _ instruction: Instruction,
        _ event: BuildEvent.Step
    ) async throws {
        let (session, current) = (session, state)
        // The other stage's key stands for all that it holds.
        var key = key(of: transfer)
        key.add(from.key)
        key.add(transfer.sources)
        try await step(
            event, key: key.finish(), createdBy: transfer.createdBy, at: instruction.range,
            reading: from.basis
        ) {
            let owner = try await Self.attributes(of: transfer, current, session).owner
            let order = CopyOrder(
                from: try await session.sources(of: from.layers),
                parent: try await session.sources(of: current.layers),
                sources: transfer.sources, destination: transfer.destination,
                workingDirectory: current.workingDirectory, uid: owner?.uid, gid: owner?.gid,
                mode: transfer.mode,
                latest: session.request.sourceDateEpoch, now: session.now.secondsSinceEpoch)
            let answer = try await session.worker.ask(.copy(order))
            guard case .packed(let packed) = answer.reply else {
                throw BuildError(.bug, "the worker gave another answer than asked for")
            }
            return StepOutcome(packed)
        }
    }

    private func key(of transfer: Transfer) -> CacheKey {
        var key = CacheKey(transfer.name)
        key.add(state.key)
        key.add(state.workingDirectory)
        key.add(transfer.destination)
        key.add(transfer.owner)
        key.add(transfer.mode)
        key.add(session.request.sourceDateEpoch.map { String($0) })
        return key
    }

    private static func attributes(
        of transfer: Transfer, _ state: StageState, _ session: BuildSession
    ) async throws -> LayerComposer.Attributes {
        var attributes = LayerComposer.Attributes()
        if let owner = transfer.owner, !owner.isEmpty {
            let identity = try await session.owner(of: owner, in: state.layers)
            attributes.owner = .init(uid: identity.uid, gid: identity.gid)
        }
        if let mode = transfer.mode, !mode.isEmpty {
            guard let change = ModeChange(mode) else {
                throw BuildError(
                    .input, "--chmod=\(mode) is no mode",
                    hint: "as in --chmod=755 or --chmod=u=rwX,go=rX")
            }
            attributes.mode = change
        }
        return attributes
    }
}

extension StageSolver.StepOutcome {
    /// A layer that is packed already.
    init(_ packed: PackedLayer?) {
        guard let packed else { return }
        layer = SolvedLayer(packed.record)
        self.packed = Task { packed }
    }
}
