import Linux
import SystemPackage

/// The minimal /dev of a sandbox: a small tmpfs with six nodes of the host, bound by descriptor, and the usual links.
///
/// It is made before the step's process exists. Devices can't be made in a user namespace, so the host's are bound.
struct DeviceTree: ~Copyable {
    /// The tmpfs, detached.
    let mount: OwnedDescriptor
    let pts, shm, mqueue, null: OwnedDescriptor
    /// The nodes' detached mounts and their places; kept for the length of the clone.
    let nodes: DeviceNodes
    let shmMount: OwnedDescriptor

    static let names = ["null", "zero", "full", "random", "urandom", "tty"]

    private static let links: [(name: String, target: String)] = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"), ("core", "/proc/kcore"),
    ]

    init(sharedMemoryBytes: UInt64) throws(SandboxError) {
        let mount = try setup { () throws(SystemError) in
            let tmpfs = try FileSystemContext("tmpfs")
            try tmpfs.set("mode", "0755")
            try tmpfs.set("size", "65536")
            try tmpfs.set("nr_inodes", "64")
            return try tmpfs.mount([.noSetUserID, .noExecution])
        }
        let root = mount.borrowed
        let nodes = try DeviceNodes(in: root)
        for link in Self.links {
            try setup("make /dev/\(link.name)") { () throws(Errno) in
                try root.makeSymbolicLink(link.name.utf8, to: link.target.utf8)
            }
        }
        let pts = try Self.directory("pts", in: root)
        let shm = try Self.directory("shm", in: root)
        let mqueue = try Self.directory("mqueue", in: root)
        // The place of /dev/null: once the sandbox stands, the host's node is what is found there.
        let null = try setup("open /dev/null") { () throws(Errno) in
            try root.open("null", .pathOnly, resolve: .noLinks)
        }
        let shmMount = try setup { () throws(SystemError) in
            let tmpfs = try FileSystemContext("tmpfs")
            try tmpfs.set("mode", "1777")
            try tmpfs.set("size", "\(sharedMemoryBytes)")
            return try tmpfs.mount([.noSetUserID, .noDevices, .noExecution])
        }
        self.nodes = nodes
        self.mount = mount
        self.pts = pts
        self.shm = shm
        self.mqueue = mqueue
        self.null = null
        self.shmMount = shmMount
    }

    private static func directory(_ name: String, in root: FileDescriptor) throws(SandboxError)
        -> OwnedDescriptor
    {
        try setup("make /dev/\(name)") { () throws(Errno) in
            try root.makeDirectory(name.utf8, mode: 0o755)
            return try root.open(name, [.pathOnly, .directory], resolve: .noLinks)
        }
    }
}

/// The bound nodes of a `DeviceTree`. A class, because arrays can't hold descriptors with one owner.
final class DeviceNodes {
    private final class Node {
        let tree, target: OwnedDescriptor
        init(tree: consuming OwnedDescriptor, target: consuming OwnedDescriptor) {
            self.tree = tree
            self.target = target
        }
    }

    private var nodes: [Node] = []

    init(in root: FileDescriptor) throws(SandboxError) {
        for name in DeviceTree.names {
            let tree = try setup { () throws(SystemError) in try cloneMount(of: "/dev/\(name)") }
            // A device is written to through a read-only mount all the same; its times, mode and owner are the host's.
            try setup("protect /dev/\(name)") { () throws(Errno) in
                try tree.setMountAttributes([.readOnly, .noSetUserID, .noExecution])
            }
            let target = try setup("make /dev/\(name)") { () throws(Errno) in
                _ = try root.open(
                    name, [.create, .writeOnly, .exclusive], mode: 0o666, resolve: .noLinks)
                return try root.open(name, .pathOnly, resolve: .noLinks)
            }
            nodes.append(Node(tree: tree, target: target))
        }
    }

    var mounts: [StepSpecification.Mount] {
        nodes.map { StepSpecification.Mount(tree: $0.tree.borrowed, target: $0.target.borrowed) }
    }

    /// The host's node behind /dev/null, to cover files with.
    var nullDevice: FileDescriptor { nodes[0].tree.borrowed }
}
