import Layers
import Limits
import Linux
import Sandbox
import Store
import SystemPackage

/// A `--mount` of a RUN, as the builder asks the worker for it.
struct MountOrder: Codable, Sendable {
    enum Content: Codable, Sendable {
        /// Files of an image or another stage, below `source`.
        case image([LayerSource], source: String)
        /// What the builder has put into the scratch directory, at this path.
        case prepared(path: String)
        case cache(id: String, CacheMount.Sharing, seed: [LayerSource]?, source: String)
        case temporary(size: Int?)
        /// A file with the content of the next of the order's descriptors.
        case file
        /// A socket of the host.
        case socket(path: String)

        var isTemporary: Bool { if case .temporary = self { true } else { false } }
    }

    var content: Content
    var target: String
    var isReadOnly: Bool
    var mode: UInt32?
    var uid, gid: UInt32
}

/// The mounts of one RUN, and what has to stay until it has ended.
final class RunMounts {
    private(set) var mounts: [StepMount] = []
    private var caches: [CacheBox] = []
    private var attached: [AttachedMount] = []
    private var snapshots: [any StepSnapshot] = []

    /// A class around the lock.
    private final class CacheBox {
        let cache: CacheMount
        init(_ cache: consuming CacheMount) { self.cache = cache }
    }

    /// Where the mounts of one step are made.
    struct Place {
        let server: WorkerServer
        /// A name of the step's own in the work area.
        var name: String
        var isCancelled: () -> Bool
    }

    init(_ orders: [MountOrder], _ files: [SharedDescriptor], in place: Place) throws {
        var files = files[...]
        for (index, order) in orders.enumerated() {
            var place = place
            place.name += "-mount-\(index)"
            do {
                let tree = try tree(order, &files, place)
                mounts.append(
                    StepMount(
                        tree: SharedDescriptor(tree), target: Array(order.target.utf8),
                        isOwnMemory: order.content.isTemporary))
            } catch {
                discard()
                throw failure(order, error)
            }
        }
    }

    /// Takes away what was made for this RUN alone. Comes when its processes have ended.
    func discard() {
        mounts = []
        attached = []
        for snapshot in snapshots { snapshot.discard() }
        snapshots = []
        caches = []
    }

    /// Says which mount it was.
    private func failure(_ order: MountOrder, _ error: any Error) -> any Error {
        var failure = WorkerFailure(error)
        failure.message = "--mount at \(order.target): \(failure.message)"
        return failure
    }

    private func tree(
        _ order: MountOrder, _ files: inout ArraySlice<SharedDescriptor>, _ place: Place
    ) throws -> OwnedDescriptor {
        let tree: OwnedDescriptor
        switch order.content {
        case .image(let layers, let source):
            tree = try imageTree(layers, source, place)
        case .prepared(let path):
            let directory = try place.server.store.openScratch(path)
            tree = try cloneMount(of: directory.borrowed)
        case .cache(let id, let sharing, let seed, let source):
            tree = try cacheTree(order, id, sharing, seed, source, place)
        case .temporary(let size):
            tree = try Self.temporaryTree(size)
        case .file:
            guard let content = files.popFirst() else {
                throw WorkerFailure(category: .bug, message: "its content did not come along")
            }
            return try Self.file(order, content.borrowed)
        case .socket(let path):
            tree = try cloneMount(of: path)
        }
        var attributes: MountAttributes = [.noSetUserID, .noDevices]
        if order.isReadOnly { attributes.insert(.readOnly) }
        try tree.setMountAttributes(attributes)
        return tree
    }

    // MARK: - Files of images

    private func imageTree(_ layers: [LayerSource], _ source: String, _ place: Place) throws
        -> OwnedDescriptor
    {
        let server = place.server
        let below = try server.trees.trees(of: layers, server.uppers)
        let upper = try server.store.newTree(named: place.name, in: server.area)
        let snapshot = try server.snapshot(below, place.name, upper.borrowed, isForRun: false)
        snapshots.append(snapshot)
        let rootfs = try snapshot.mount(allowsSetUserID: false)
        let directory = try makeDirectory("\(place.name)-at", in: server.area.directory.borrowed)
        let whole = try AttachedMount(rootfs.mount, at: directory.borrowed)
        attached.append(whole)
        let part = try open(source, below: whole.root.borrowed)
        return try cloneMount(of: part.borrowed)
    }

    private func open(_ source: String, below root: FileDescriptor) throws -> OwnedDescriptor {
        let path = source.drop { $0 == "/" }
        do throws(Errno) {
            return try root.open(path.isEmpty ? "." : String(path), .pathOnly, resolve: .inRoot)
        } catch {
            throw WorkerFailure(
                category: .instruction, message: "\(printable(source.utf8)): \(error.inWords)")
        }
    }

    // MARK: - Caches and temporary files

    private func cacheTree(
        _ order: MountOrder, _ id: String, _ sharing: CacheMount.Sharing,
        _ seed: [LayerSource]?, _ source: String, _ place: Place
    ) throws -> OwnedDescriptor {
        let server = place.server
        guard
            let cache = try server.store.cacheMount(
                id, sharing, form: server.form, isCancelled: place.isCancelled)
        else { throw WorkerFailure(category: .interrupted, message: "interrupted") }
        let box = CacheBox(cache)
        caches.append(box)
        let directory = box.cache.tree.borrowed
        if box.cache.isNew {
            if let seed {
                let layers = try server.trees.trees(of: seed, server.uppers)
                try TreeCopier.copy(
                    directoryAt: source, of: layers.stack, trees: layers.descriptors,
                    into: directory, server.form)
            }
            try directory.setOwner(uid: order.uid, gid: order.gid)
            try directory.setPermissions(order.mode ?? 0o755)
        }
        return try cloneMount(of: directory)
    }

    private static func temporaryTree(_ size: Int?) throws -> OwnedDescriptor {
        let tmpfs = try FileSystemContext("tmpfs")
        try tmpfs.set("mode", "1777")
        if let size { try tmpfs.set("size", "\(size)") }
        return try tmpfs.mount([.noSetUserID, .noDevices])
    }

    /// A secret or a script: a file on a tmpfs of its own, gone with the step.
    private static func file(_ order: MountOrder, _ content: FileDescriptor) throws
        -> OwnedDescriptor
    {
        let tmpfs = try FileSystemContext("tmpfs")
        try tmpfs.set("mode", "0700")
        try tmpfs.set("nr_inodes", "4")
        let directory = try tmpfs.mount([.noSetUserID, .noDevices])
        let bytes = try content.readAll(limit: largestFile)
        let file = try directory.borrowed.open(
            "file", [.writeOnly, .create, .exclusive], mode: 0o600)
        try file.borrowed.writeFully(bytes)
        try file.borrowed.setOwner(uid: order.uid, gid: order.gid)
        try file.borrowed.setPermissions(order.mode ?? 0o400)
        let place = try directory.borrowed.open("file", .pathOnly)
        let mount = try cloning(from: directory) { () throws(Errno) in
            try cloneMount(of: place.borrowed)
        }
        try mount.setMountAttributes([.readOnly, .noSetUserID, .noDevices])
        return mount
    }

    /// The most that a secret or a script may be.
    static let largestFile = Limit.secret
}
