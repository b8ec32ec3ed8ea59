import Linux
import SystemPackage

/// /etc/resolv.conf, /etc/hosts and /etc/hostname of a RUN, on a tmpfs of their own: writable, and gone with the step.
struct NetworkFiles: ~Copyable {
    let resolvConf, hosts, hostname: OwnedDescriptor

    /// The name of every sandbox, so that it can't be read into an image.
    static let name = "lichen"

    /// The most that is taken over of the host's resolv.conf.
    private static let largestFile = 64 << 10

    init(hasNetwork: Bool) throws(SandboxError) {
        let tmpfs = try setup { () throws(SystemError) in
            let context = try FileSystemContext("tmpfs")
            try context.set("mode", "0755")
            try context.set("size", "1048576")
            try context.set("nr_inodes", "16")
            return try context.mount([.noSetUserID, .noDevices, .noExecution])
        }
        let hostsText =
            "127.0.0.1\tlocalhost \(Self.name)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        let resolvConf = try Self.file(
            "resolv.conf", hasNetwork ? Self.hostResolvConf() : [], tmpfs.borrowed)
        let hosts = try Self.file("hosts", Array(hostsText.utf8), tmpfs.borrowed)
        let hostname = try Self.file("hostname", Array((Self.name + "\n").utf8), tmpfs.borrowed)
        self.resolvConf = resolvConf
        self.hosts = hosts
        self.hostname = hostname
    }

    /// A detached mount of one file.
    private static func file(
        _ name: String, _ content: [UInt8], _ directory: FileDescriptor
    ) throws(SandboxError) -> OwnedDescriptor {
        try setup("make /etc/\(name) of the sandbox") { () throws(Errno) in
            let file = try directory.open(
                name, [.create, .writeOnly], mode: 0o644, resolve: .noLinks)
            try file.borrowed.writeFully(content)
            let place = try directory.open(name, .pathOnly, resolve: .noLinks)
            return try cloneMount(of: place.borrowed)
        }
    }

    private static func hostResolvConf() -> [UInt8] {
        // A host without one has no name service to pass on; the command will say so better than we could.
        guard
            let file = try? FileDescriptor.workingDirectory.open(
                "/etc/resolv.conf", .readOnly, resolve: .system)
        else { return [] }
        return (try? file.borrowed.readAll(limit: largestFile)) ?? []
    }
}
