import Archive
import Glibc
import Layers
import Linux
import OCI
import Policy
import Sandbox
import Store
import Synchronization
import SystemPackage

extension WorkerServer {
    /// The answer to a RUN, and the listing of what it changed.
    typealias RunReply = (reply: WorkerReply, listing: FileDescriptor?)

    /// Runs one command on an overlay of its layers, and finds what it changed.
    ///
    /// - Parameters:
    ///   - streams: the command's output and error, then the content of its mounts that are files.
    ///   - isCancelled: asked while the step waits for something before it starts.
    func run(
        _ order: RunOrder, _ streams: [SharedDescriptor], isCancelled: @escaping () -> Bool,
        started: (ProcessHandle) -> Void
    ) throws -> RunReply {
        guard streams.count >= 2 else {
            throw WorkerFailure(category: .bug, message: "a RUN came without its output")
        }
        let (output, error) = (streams[0].borrowed, streams[1].borrowed)
        try emulation.begin(order.emulators)
        let below = try trees.trees(of: order.layers, uppers)
        let number = uppers.newNumber()
        let name = "step-\(number)"
        let upper = try store.newTree(named: name, in: area)
        let attach = try makeDirectory("\(name)-root", in: area.directory.borrowed)
        let snapshot = try snapshot(below, name, upper.borrowed)
        let result: StepResult
        do {
            let place = RunMounts.Place(server: self, name: name, isCancelled: isCancelled)
            let mounts = try RunMounts(order.mounts, Array(streams.dropFirst(2)), in: place)
            defer { mounts.discard() }
            result = try run(
                order, on: snapshot, below, mounts.mounts,
                attachAt: try attach.borrowed.ownPath(), output, error, started)
        } catch {
            snapshot.discard()
            throw error
        }
        let report = StepReport(result, line: order.line)
        guard result.status.isSuccess else {
            snapshot.discard()
            return (
                .exited(code: result.status.code, words: result.status.description, report), nil
            )
        }
        let (changes, listing) = try unpacker.changes(
            of: number, upper: store.treePath(named: name, in: area),
            places(of: order.layers), before: snapshot.rootBefore,
            removals: try snapshot.gather(), latest: order.latest)
        if changes.isEmpty {
            snapshot.discard()
            return (.ran(upper: nil, report), nil)
        }
        let finished = UpperStore.Upper(
            name: name, directory: try upper.duplicate(), changes: changes,
            listing: try Listing(try MappedFile(listing.borrowed)), listingFile: listing)
        uppers[number] = finished
        return (.ran(upper: number, report), finished.listingFile.borrowed)
    }

    /// The command alone: what it has mounted is unmounted when this returns.
    private func run(
        _ order: RunOrder, on snapshot: any StepSnapshot, _ below: TreeMaker.OpenLayers,
        _ mounts: [StepMount], attachAt: [UInt8], _ output: FileDescriptor, _ error: FileDescriptor,
        _ started: (ProcessHandle) -> Void
    ) throws -> StepResult {
        let identity = try identity(of: order.user, below)
        let rootfs = try snapshot.mount(allowsSetUserID: StepSandbox.allowsSetUserID(identity))
        var command = StepCommand(
            arguments: order.arguments.map { Array($0.utf8) },
            environment: order.environment.map { Array($0.utf8) },
            workingDirectory: Array(order.workingDirectory.utf8), user: order.user,
            network: .init(order.network), mounts: mounts)
        if let hostname = order.hostname { command.hostname = hostname }
        do throws(SandboxError) {
            return try sandbox(for: order, on: below).run(
                command, in: rootfs, identity: identity, attachAt: attachAt, output: output,
                error: error, started: started)
        } catch {
            guard case .unmappedID(let id) = error.problem else { throw error }
            throw SandboxError(
                .host("USER \(order.user) needs id \(id), which this build does not have"),
                hint: remedy)
        }
    }

    /// - Parameter isForRun: whether a command will have it as its root, and needs the places to mount at.
    func snapshot(
        _ below: TreeMaker.OpenLayers, _ name: String, _ upper: FileDescriptor,
        isForRun: Bool = true
    ) throws -> any StepSnapshot {
        let directory = area.directory.borrowed
        if !form.isStacked {
            return try CopySnapshot(below, upper: upper, form, named: name, in: directory)
        }
        // Overlay wants a lowest layer even below an image without any.
        let stub = SharedDescriptor(
            try isForRun ? stubLayer() : makeDirectory("\(name)-empty", in: directory))
        return try OverlaySnapshot(
            below, stub: stub, upper: upper, form, named: name, in: directory)
    }

    private func sandbox(for order: RunOrder, on layers: TreeMaker.OpenLayers) throws(SandboxError)
        -> StepSandbox
    {
        try sandbox(
            SandboxKind(
                hidesRecords: !form.holdsOwners(of: layers.stack),
                refusesMetadata: order.refusesMetadata, isInsecure: order.isInsecure))
    }

    /// Compiled once for each kind of step.
    func sandbox(_ kind: SandboxKind) throws(SandboxError) -> StepSandbox {
        try sandboxes.sandbox(kind) { () throws(SandboxError) in
            let supervision = StepSupervision(
                explainsDenials: true,
                idMaps: dropsGroups ? nil : .init(uid: form.uid, gid: form.gid),
                hidesOwnerRecords: kind.hidesRecords,
                refusedAddresses: kind.refusesMetadata ? StepSupervision.metadataAddresses : [])
            do {
                return try StepSandbox(
                    policy: try kind.isInsecure ? SandboxPolicy.insecure : SandboxPolicy.default,
                    uid: form.uid, gid: form.gid,
                    supervision: supervision, dropsGroups: dropsGroups, limiter: limiter)
            } catch let error as SandboxError {
                throw error
            } catch { throw SandboxError(.host("compile the policy: \(error)")) }
        }
    }

    /// The mount points that every image gets, made once for this worker.
    private func stubLayer() throws -> OwnedDescriptor {
        stubLock.acquire()
        defer { stubLock.release() }
        let name = "mount-points"
        let directory = area.directory.borrowed
        if try directory.statusIfPresent(of: name.utf8) == nil {
            try directory.makeDirectory(name.utf8, mode: 0o755)
            let stub = try directory.open(name, [.readOnly, .directory])
            try makeStubLayer(in: stub.borrowed)
            return stub
        }
        return try directory.open(name, [.readOnly, .directory])
    }

    /// Whom USER names, by the image's own files.
    private func identity(of user: String, _ layers: TreeMaker.OpenLayers) throws
        -> UserDatabase.Identity
    {
        let passwd = try smallFile("etc/passwd", layers)
        let group = try smallFile("etc/group", layers)
        let database = UserDatabase(passwd: passwd, group: group)
        do throws(UserDatabase.Unknown) {
            return try database.identity(of: user)
        } catch { throw SandboxError(.user(error)) }
    }

    /// A file of an image by its path, links followed inside; empty where there is none.
    private func smallFile(_ path: String, _ layers: TreeMaker.OpenLayers) throws -> [UInt8] {
        guard let resolved = try? layers.stack.resolve(path.utf8), resolved.entry?.kind == .file,
            let (_, layer) = layers.stack.lookup(resolved.path)
        else { return [] }
        let file = try layers.descriptors[layer].open(
            resolved.path.bytes, [.readOnly, .noFollow], resolve: .noLinks)
        return try file.borrowed.readAll(limit: UserDatabase.largestFile)
    }

    /// Where the unpacker finds these layers. Their trees are here.
    private func places(of layers: [LayerSource]) -> [LayerPlace] {
        layers.map { layer in
            switch layer {
            case .stored(let record):
                .stored(
                    tree: store.treePath(of: record.diffID, form: form),
                    listing: store.listingPath(of: record.diffID))
            case .upper(let number): .upper(number)
            }
        }
    }

    // MARK: - Packing

    /// Packs a finished upper directory into a file, which the builder makes a blob of; the directory itself becomes the layer's tree.
    func pack(_ number: Int, into blob: SharedDescriptor, latest: Int64?) throws -> PackedLayer? {
        guard let upper = uppers[number] else {
            throw WorkerFailure(category: .bug, message: "no step \(number) to pack")
        }
        OverlaySnapshot.removeWork(of: upper.name, in: area.directory.borrowed)
        let packer = UpperPacker(upper: upper.directory.borrowed, latest: latest)
        let packed = try packLayer(into: blob) { try packer.pack(upper.changes, to: $0) }
        let listing = try UpperPacker.listing(
            of: upper.changes, upper: upper.directory.borrowed, latest: latest)
        try store.keepListing(listing.encoded(), of: packed.record.diffID)
        try store.keepTree(named: upper.name, in: area, as: packed.record.diffID, form: form)
        return packed
    }

    /// Packs what `body` writes.
    func packLayer(
        into blob: SharedDescriptor, _ body: (TarWriter) throws -> Void
    ) throws -> PackedLayer {
        try LayerPacking.pack(into: blob.borrowed, encoding, threads: packingThreads, body)
    }
}

/// What sandboxes are compiled for.
struct SandboxKind: Hashable {
    /// Whether records of owners have to be hidden.
    var hidesRecords: Bool
    var refusesMetadata: Bool
    /// `RUN --security=insecure`.
    var isInsecure: Bool
}

/// The sandboxes of a worker, each compiled by whoever wants it first; others wait for that.
final class SandboxShelf: Sendable {
    private let known = Mutex<[SandboxKind: StepSandbox]>([:])

    func sandbox(
        _ kind: SandboxKind, _ compile: () throws(SandboxError) -> StepSandbox
    ) throws(SandboxError) -> StepSandbox {
        try known.withLock { (known) throws(SandboxError) in
            if let sandbox = known[kind] { return sandbox }
            let sandbox = try compile()
            known[kind] = sandbox
            return sandbox
        }
    }
}

extension StepCommand.Network {
    init(_ network: BuildRequest.Network) {
        self =
            switch network {
            case .host: .host
            case .none: .none
            case .private: .private
            }
    }
}

extension StepReport {
    init(_ result: StepResult, line: Int) {
        refused =
            result.denials.map { RefusedCall($0, line: line) }
            + result.missingIDs.map { RefusedCall($0, line: line) }
            + result.refusedAddresses.map { RefusedCall($0, line: line) }
        unrecorded = result.unrecorded
        reachedLimit = result.reachedLimit
        proc = result.proc
        if case .unavailable(let reason) = result.supervision { isUnsupervised = reason }
    }
}
