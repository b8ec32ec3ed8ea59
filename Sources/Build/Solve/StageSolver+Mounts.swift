import Contexts
import Dockerfile
import FoundationEssentials
import Glibc
import Layers
import Linux
import OCI
import Store
import SystemPackage

/// `RUN --mount`: what a RUN sees for its own length. None of it is in the layer.
struct StepMounts: Sendable {
    /// One mount, as far as it is known before the step runs.
    struct Item: Sendable {
        var mount: RunMount
        /// Where files come from; nil for the build context, and for what needs none.
        var image: StageState?
        /// The files of a directory of the user.
        var selection: CopySelection?
    }

    var items: [Item] = []
    /// The script of a heredoc with an interpreter line.
    var script: RunInstruction.Invocation.Script?

    var isEmpty: Bool { items.isEmpty && script == nil }

    /// What the step's result may depend on: kinds and places, the files of binds; of secrets and agents the ids alone.
    func add(to key: inout CacheKey) {
        key.add(String(items.count))
        for item in items {
            let mount = item.mount
            key.add([
                mount.kind.rawValue, mount.from ?? "", mount.source ?? "", mount.target ?? "",
                mount.isReadOnly ? "ro" : "rw", mount.size.map { String($0) } ?? "",
                mount.id ?? "", mount.sharing?.rawValue ?? "", mount.isRequired ? "required" : "",
                mount.environment ?? "", mount.mode.map { String($0, radix: 8) } ?? "",
                mount.uid.map { String($0) } ?? "", mount.gid.map { String($0) } ?? "",
            ])
            key.add(item.image?.key.description)
            key.add(item.selection?.digest.description)
        }
        key.add(script?.content)
    }

    /// The layers of other images that the step reads.
    var basis: LayerBasis? {
        let others = items.compactMap(\.image?.basis)
        guard let first = others.first else { return nil }
        return others.dropFirst().reduce(first) { $0.adding($1) }
    }
}

extension StageSolver {
    /// Reads what the mounts of a RUN say, and finds the files that they name.
    func mounts(of run: RunInstruction, _ index: Int, _ instruction: Instruction) async throws
        -> StepMounts
    {
        var result = StepMounts()
        result.script = run.invocation(shell: state.shell).script
        for (number, flag) in run.mounts.enumerated() {
            let scope = state.scope
            let mount = try session.document.expand(flag, scope.value)
            do {
                result.items.append(
                    try await item(mount, planned.mountOrigins[index]?[number], instruction))
            } catch {
                let placed = located(error, at: flag.word.range)
                throw suggestingStage(placed, flag.from, planned.mountOrigins[index]?[number])
            }
        }
        return result
    }

    private func item(
        _ mount: RunMount, _ origin: Plan.CopyOrigin?, _ instruction: Instruction
    ) async throws -> StepMounts.Item {
        var item = StepMounts.Item(mount: mount)
        if mount.target == nil, [.bind, .cache, .tmpfs].contains(mount.kind) {
            throw BuildError(
                .input, "--mount=type=\(mount.kind.rawValue) has no target",
                hint: "as in --mount=type=\(mount.kind.rawValue),target=/directory")
        }
        switch origin {
        case .stage(let index)?: item.image = finished[index]!
        case .image(let reference)?: item.image = try await image(.image(reference), instruction)
        case .context(let context)?:
            if let source = session.context.named[context] {
                item.selection = try await select(mount, in: source)
            } else {
                item.image = try await image(context, instruction)
            }
        case nil:
            if mount.kind == .bind {
                item.selection = try await select(mount, in: session.context.source)
            }
        }
        return item
    }

    private func select(_ mount: RunMount, in source: any CopySource) async throws -> CopySelection
    {
        let digests = session.digests(of: source)
        let selection = try await blocking {
            try CopySelection([mount.source ?? "."], in: source, digests: digests)
        }
        if selection.isEmpty {
            throw BuildError(.input, "\(mount.source ?? "."): nothing there to mount")
        }
        return selection
    }
}

// MARK: - For the worker

/// The mounts of a step that runs: orders for the worker, and what has to stay until it has ended.
struct MountOrders: ~Copyable {
    var orders: [MountOrder] = []
    /// Of secrets and scripts.
    var files: [SharedDescriptor] = []
    var environment: [String] = []
    /// Copies of the user's files.
    private var area: WorkArea?

    /// More descriptors don't ride on one message.
    private static let mostFiles = 14

    init(_ mounts: StepMounts, _ session: BuildSession) async throws {
        for (index, item) in mounts.items.enumerated() {
            switch item.mount.kind {
            case .bind: try await bind(item, index, session)
            case .cache: try await cache(item, session)
            case .tmpfs:
                add(item.mount, .temporary(size: item.mount.size))
            case .secret: try secret(item.mount, session)
            case .ssh: try agent(item.mount, session)
            }
        }
        if let script = mounts.script {
            var mount = RunMount()
            mount.target = script.path
            mount.mode = 0o755
            try file(mount, Array(script.content.utf8))
        }
        if files.count > Self.mostFiles {
            throw BuildError(.input, "a RUN can have at most \(Self.mostFiles) secrets")
        }
    }

    /// Removes the copies.
    consuming func remove() { try? area?.remove() }

    private mutating func add(_ mount: RunMount, _ content: MountOrder.Content) {
        orders.append(
            MountOrder(
                content: content, target: mount.target!, isReadOnly: mount.isReadOnly,
                mode: mount.mode, uid: mount.uid ?? 0, gid: mount.gid ?? 0))
    }

    private mutating func bind(
        _ item: StepMounts.Item, _ index: Int, _ session: BuildSession
    ) async throws {
        if let image = item.image {
            let layers = try await session.sources(of: image.layers)
            return add(item.mount, .image(layers, source: item.mount.source ?? "/"))
        }
        guard let selection = item.selection else { return }
        let area = try area ?? session.store.newWorkArea()
        self.area = area
        let name = "bind-\(index)"
        try await blocking { try selection.write(into: area.directory.borrowed, named: name) }
        add(item.mount, .prepared(path: "\(area.scratchPath)/\(name)"))
    }

    private mutating func cache(_ item: StepMounts.Item, _ session: BuildSession) async throws {
        let mount = item.mount
        var seed: [LayerSource]?
        if let image = item.image { seed = try await session.sources(of: image.layers) }
        let sharing: CacheMount.Sharing =
            switch mount.sharing ?? .shared {
            case .shared: .shared
            case .private: .private
            case .locked: .locked
            }
        let builtIn = try BuiltInArguments(session.request.buildArguments)
        let id = builtIn.cacheID(mount.id ?? mount.target!)
        add(mount, .cache(id: id, sharing, seed: seed, source: mount.source ?? "/"))
    }

    // MARK: - Secrets

    private mutating func secret(_ mount: RunMount, _ session: BuildSession) throws {
        let id =
            mount.id ?? mount.source
            ?? mount.target.map { String($0.split(separator: "/").last ?? "") } ?? ""
        guard let source = session.request.secrets[id] else {
            if !mount.isRequired { return }
            throw BuildError(
                .input, "the secret \(id) is required, and was not given",
                hint: "give it with --secret id=\(id),src=FILE or --secret id=\(id),env=NAME")
        }
        let value = try source.value(of: id)
        if let name = mount.environment {
            // What a process can have in its environment.
            guard !value.contains(0) else {
                throw BuildError(
                    .input, "the secret \(id) has a NUL byte, and can't be in a variable")
            }
            environment.append("\(name)=\(String(decoding: value, as: UTF8.self))")
            if mount.target == nil { return }
        }
        var mount = mount
        mount.target = mount.target ?? "/run/secrets/\(id)"
        try file(mount, value)
    }

    private mutating func file(_ mount: RunMount, _ content: [UInt8]) throws {
        files.append(SharedDescriptor(try anonymousFile(holding: content)))
        add(mount, .file)
    }

    // MARK: - Agents

    private mutating func agent(_ mount: RunMount, _ session: BuildSession) throws {
        let id = mount.id ?? "default"
        guard let path = session.request.agents[id] else {
            if !mount.isRequired { return }
            throw BuildError(
                .input, "the ssh agent \(id) is required, and was not given",
                hint: "give it with --ssh \(id)=SOCKET, or --ssh default for SSH_AUTH_SOCK")
        }
        if mount.mode != nil || mount.uid ?? 0 != 0 || mount.gid ?? 0 != 0 {
            throw BuildError(
                .input, "mode, uid and gid of --mount=type=ssh are not carried out",
                hint: "the socket is the user's own: root of a RUN can use it, others can't")
        }
        let target = mount.target ?? "/run/buildkit/ssh_agent.\(environment.count)"
        var mount = mount
        mount.target = target
        add(mount, .socket(path: try Self.absolute(path)))
        environment.append("SSH_AUTH_SOCK=\(target)")
    }

    private static func absolute(_ path: String) throws -> String {
        do throws(Errno) {
            let socket = try FileDescriptor.workingDirectory.open(path, .pathOnly, resolve: .system)
            guard try socket.borrowed.status().kind == .socket else {
                throw Errno.notSocket
            }
            return String(decoding: try socket.borrowed.ownPath(), as: UTF8.self)
        } catch { throw BuildError(.input, "the ssh agent at \(path): \(error.inWords)") }
    }
}
