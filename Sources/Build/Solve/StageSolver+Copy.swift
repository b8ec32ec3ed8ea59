import Contexts
import Dockerfile
import Layers
import Linux
import OCI
import Store

/// COPY and ADD: files of the context, of another stage, of the Dockerfile or of the network become a layer; no tree is needed
/// where they go.
extension StageSolver {
    mutating func perform(
        _ copy: CopyInstruction, _ instruction: Instruction, _ index: Int, _ event: BuildEvent.Step
    ) async throws {
        var transfer = try transfer(copy.sources, copy.owner, copy.mode)
        transfer.line = event.line
        transfer.excludes = try copy.excludes.map { try expand($0) }
        transfer.keepsParents = copy.keepsParents
        transfer.isLinked = copy.isLinked
        transfer.isForRun = plan.hasRun(after: index, of: planned.stage.index)
        switch planned.origins[index] {
        case nil:
            try await performFromContext(session.context.source, transfer, instruction, event)
        case .stage(let index)?:
            try await performFromImage(finished[index]!, transfer, instruction, event)
        case .image(let reference)?:
            let image = try await image(.image(reference), instruction)
            try await performFromImage(image, transfer, instruction, event)
        case .context(let context)?:
            if let source = session.context.named[context] {
                return try await performFromContext(source, transfer, instruction, event)
            }
            let image = try await image(context, instruction)
            try await performFromImage(image, transfer, instruction, event)
        }
    }

    mutating func perform(
        _ add: AddInstruction, _ instruction: Instruction, _ index: Int, _ event: BuildEvent.Step
    ) async throws {
        var transfer = try transfer(add.sources, add.owner, add.mode)
        transfer.line = event.line
        transfer.isAdd = true
        transfer.isForRun = plan.hasRun(after: index, of: planned.stage.index)
        transfer.excludes = try add.excludes.map { try expand($0) }
        transfer.isLinked = add.isLinked
        transfer.checksum = try add.checksum.map { try expand($0) }
        transfer.unpacks = add.unpacks
        transfer.keepsGitDirectory = add.keepsGitDirectory
        try await performFromContext(session.context.source, transfer, instruction, event)
    }

    private func transfer(_ sources: Sources, _ owner: Word?, _ mode: Word?) throws -> Transfer {
        let scope = state.scope
        let texts = try sources.heredocs.map { heredoc in
            let name = heredoc.marker
            if name.contains("/") || name == "." || name == ".." {
                throw session.error(
                    .input, "\(name) is no name for a file", at: heredoc.range,
                    hint: "name the directory in the destination")
            }
            return Transfer.Text(
                name: name,
                content: try session.document.expand(heredoc, scope.value))
        }
        return Transfer(
            isAdd: false, sources: try sources.paths.map { try expand($0) }, texts: texts,
            destination: try expand(sources.destination), owner: try owner.map { try expand($0) },
            mode: try mode.map { try expand($0) }, isLinked: false)
    }

    // MARK: - From the context, the Dockerfile and the network

    private mutating func performFromContext(
        _ source: any CopySource, _ transfer: Transfer, _ instruction: Instruction,
        _ event: BuildEvent.Step
    ) async throws {
        let (session, current) = (session, state)
        let destinations = session.earlyDestinations(of: planned.stage.index, plan)
        let parts: [CopyPart]
        let common: Digest
        do {
            parts = try await CopyPart.parts(of: transfer, source, session)
            common = try await self.key(of: transfer)
        } catch { throw located(error, at: instruction.range) }
        var key = CacheKey("copy of parts")
        key.add(common)
        key.add(String(parts.count))
        for part in parts { key.add(part.key) }
        try await step(
            event, key: key.finish(), createdBy: transfer.createdBy, at: instruction.range,
            isLinked: transfer.isLinked
        ) {
            if transfer.isForRun { try await session.makeTrees(of: current.layers) }
            let attributes = try await Self.attributes(of: transfer, current, session)
            var gathered: [CopySelection] = []
            for part in parts { gathered.append(try await part.selection()) }
            let selections = gathered
            let parent =
                transfer.isLinked ? LayerStack() : try await session.stack(of: current.layers)
            let directory = current.workingDirectory
            return StepOutcome(
                try await session.compose(
                    on: parent, relay: transfer.isForRun ? try? TreeRelay(session.worker) : nil,
                    for: destinations
                ) { composer in
                    try composer.copy(
                        selections, to: transfer.destination, workingDirectory: directory,
                        attributes)
                })
        }
    }

    // MARK: - From another stage or image

    func image(_ context: NamedContext, _ instruction: Instruction) async throws
        -> StageState
    {
        do {
            return StageState(
                try await session.images.image(of: context, plan.platform))
        } catch { throw located(error, at: instruction.range) }
    }

    private mutating func performFromImage(
        _ from: StageState, _ transfer: Transfer, _ instruction: Instruction,
        _ event: BuildEvent.Step
    ) async throws {
        let (session, current) = (session, state)
        let destinations = session.earlyDestinations(of: planned.stage.index, plan)
        // The other stage's key stands for all that it holds.
        let common: Digest
        do {
            common = try await self.key(of: transfer)
            for source in transfer.sources { try CopyPart.checkIsPath(source) }
        } catch { throw located(error, at: instruction.range) }
        var key = CacheKey("copy of an image's files")
        key.add(common)
        key.add(from.key)
        key.add(transfer.sources)
        key.add(transfer.texts.flatMap { [$0.name, $0.content] })
        key.add(transfer.excludes)
        key.add(transfer.keepsParents ? "parents" : "")
        try await step(
            event, key: key.finish(), createdBy: transfer.createdBy, at: instruction.range,
            reading: from.basis, isLinked: transfer.isLinked
        ) {
            let owner = try await Self.attributes(of: transfer, current, session).owner
            let order = CopyOrder(
                from: try await session.sources(of: from.layers),
                parent: transfer.isLinked ? [] : try await session.sources(of: current.layers),
                sources: transfer.sources, texts: transfer.texts, excludes: transfer.excludes,
                keepsParents: transfer.keepsParents, destination: transfer.destination,
                workingDirectory: current.workingDirectory, uid: owner?.uid, gid: owner?.gid,
                mode: transfer.mode,
                latest: session.request.sourceDateEpoch, now: session.now.secondsSinceEpoch)
            return StepOutcome(try await session.packByWorker(.copy(order), for: destinations))
        }
    }

    /// What every COPY and ADD depends on. With `--link` that is nothing of the image but the numbers of an owner's names.
    private func key(of transfer: Transfer) async throws -> Digest {
        var key = CacheKey(transfer.isAdd ? "ADD" : "COPY")
        if transfer.isLinked {
            let owner = try await Self.owner(of: transfer, state, session)
            key.add("link")
            key.add(owner.map { "\($0.uid):\($0.gid)" })
        } else {
            key.add(state.key)
            key.add(transfer.owner)
        }
        key.add(state.workingDirectory)
        key.add(transfer.destination)
        key.add(transfer.mode)
        key.add(session.request.sourceDateEpoch.map { String($0) })
        return key.finish()
    }

    private static func owner(
        of transfer: Transfer, _ state: StageState, _ session: BuildSession
    ) async throws -> LayerComposer.Attributes.Owner? {
        guard let owner = transfer.owner, !owner.isEmpty else { return nil }
        let identity = try await session.owner(of: owner, in: state.layers)
        return .init(uid: identity.uid, gid: identity.gid)
    }

    private static func attributes(
        of transfer: Transfer, _ state: StageState, _ session: BuildSession
    ) async throws -> LayerComposer.Attributes {
        var attributes = LayerComposer.Attributes()
        attributes.owner = try await owner(of: transfer, state, session)
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
