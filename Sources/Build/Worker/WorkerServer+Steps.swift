import Archive
import Glibc
import Layers
import Linux
import OCI
import Policy
import Sandbox
import Store
import SystemPackage

extension WorkerServer {
    /// The answer to a RUN, and the listing of what it changed.
    typealias RunReply = (reply: WorkerReply, listing: FileDescriptor?)

    /// Runs one command on an overlay of its layers, and finds what it changed.
    func run(_ order: RunOrder, _ streams: [SharedDescriptor], started: (ProcessHandle) -> Void)
        throws -> RunReply
    {
        guard streams.count == 2 else {
            throw WorkerFailure(category: .bug, message: "a RUN came without its output")
        }
        let (output, error) = (streams[0].borrowed, streams[1].borrowed)
        let below = try trees.trees(of: order.layers, uppers)
        let number = uppers.newNumber()
        let name = "step-\(number)"
        let upper = try store.newTree(named: name, in: area)
        let directory = area.directory.borrowed
        let work = try makeDirectory("\(name)-work", in: directory)
        let attach = try makeDirectory("\(name)-root", in: directory)
        let stub = try stubLayer()
        let before = try RootAttributes.of(below.stack, trees: below.descriptors)
        try before.apply(to: upper.borrowed)
        try ImpliedDirectories(below.stack, trees: below.descriptors).make(in: upper.borrowed)
        let status = try runInOverlay(
            order, below: below, stub: stub.borrowed, upper: upper.borrowed, work: work.borrowed,
            attachAt: try attach.borrowed.ownPath(), output: output, error: error, started)
        // Overlay's own directory is of no use any more; what stays of it goes with the work area.
        try? removeTree("\(name)-work".utf8, in: directory)
        guard status.isSuccess else {
            try? removeTree(name.utf8, in: directory)
            return (.exited(code: status.code, words: status.description), nil)
        }
        let changes = try UpperDiff.changes(
            in: upper.borrowed, lower: below.stack, trees: below.descriptors, rootBefore: before,
            latest: order.latest)
        if changes.isEmpty {
            try? removeTree(name.utf8, in: directory)
            return (.ran(upper: nil), nil)
        }
        let finished = try finishedUpper(name, upper, changes)
        uppers[number] = finished
        return (.ran(upper: number), finished.listingFile.borrowed)
    }

    private func runInOverlay(
        _ order: RunOrder, below: TreeMaker.OpenLayers, stub: FileDescriptor, upper: FileDescriptor,
        work: FileDescriptor, attachAt: [UInt8], output: FileDescriptor, error: FileDescriptor,
        _ started: (ProcessHandle) -> Void
    ) throws -> ExitStatus {
        let identity = try identity(of: order.user, below)
        let rootfs = try Rootfs(
            lowers: below.mountable.reversed() + [stub], upper: upper, work: work,
            allowsSetUserID: StepSandbox.allowsSetUserID(identity))
        let command = StepCommand(
            arguments: order.arguments.map { Array($0.utf8) },
            environment: order.environment.map { Array($0.utf8) },
            workingDirectory: Array(order.workingDirectory.utf8), user: order.user,
            network: order.network == .host ? .host : .none)
        return try sandbox().run(
            command, in: rootfs, identity: identity, attachAt: attachAt, output: output,
            error: error, started: started
        ).status
    }

    private func sandbox() throws -> StepSandbox {
        try StepSandbox(policy: try SandboxPolicy.default, uid: maps.uid, gid: maps.gid)
    }

    private func makeDirectory(_ name: String, in directory: FileDescriptor) throws
        -> OwnedDescriptor
    {
        try directory.makeDirectory(name.utf8, mode: 0o700)
        return try directory.open(name, [.readOnly, .directory])
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

    private func finishedUpper(
        _ name: String, _ upper: borrowing OwnedDescriptor, _ changes: ChangeSet
    ) throws -> UpperStore.Upper {
        let listing = try UpperPacker.listing(of: changes, upper: upper.borrowed, latest: nil)
        let file = try area.directory.borrowed.open(
            "\(name)-listing", [.readWrite, .create, .exclusive], mode: 0o600)
        try file.borrowed.writeFully(listing.encoded())
        return UpperStore.Upper(
            name: name, directory: try upper.duplicate(), changes: changes,
            listing: try Listing(try MappedFile(file.borrowed)), listingFile: file)
    }

    // MARK: - Packing

    /// Packs a finished upper directory into a blob; the directory itself becomes the layer's tree.
    func pack(_ number: Int, latest: Int64?) throws -> PackedLayer? {
        guard let upper = uppers[number] else {
            throw WorkerFailure(category: .bug, message: "no step \(number) to pack")
        }
        let packer = UpperPacker(upper: upper.directory.borrowed, latest: latest)
        let packed = try packLayer { try packer.pack(upper.changes, to: $0) }
        let listing = try UpperPacker.listing(
            of: upper.changes, upper: upper.directory.borrowed, latest: latest)
        try store.keepListing(listing.encoded(), of: packed.record.diffID)
        try store.keepTree(named: upper.name, in: area, as: packed.record.diffID, map: maps.uid)
        return packed
    }

    /// Makes a blob of what `body` writes.
    func packLayer(_ body: (TarWriter) throws -> Void) throws -> PackedLayer {
        try LayerPacking.pack(into: store, encoding, threads: packingThreads, body)
    }
}
