import Limits
import Linux
import SystemPackage

/// /etc/resolv.conf, /etc/hosts and /etc/hostname of a RUN, on a tmpfs of their own: writable, and gone with the step.
struct NetworkFiles: ~Copyable {
    let resolvConf, hosts, hostname: SharedDescriptor

    /// The most that is taken over of the host's resolv.conf.
    private static let largestFile = Limit.resolverFile

    /// - Parameters:
    ///   - name: of the host.
    ///   - helper: of a private network, which has name servers of its own.
    init(
        of network: StepCommand.Network, hostname name: String, _ helper: NetworkHelper?
    ) throws(SandboxError) {
        let tmpfs = try setup { () throws(SystemError) in
            let context = try FileSystemContext("tmpfs")
            try context.set("mode", "0755")
            try context.set("size", "1048576")
            try context.set("nr_inodes", "16")
            return try context.mount([.noSetUserID, .noDevices, .noExecution])
        }
        let hostsText =
            "127.0.0.1\tlocalhost \(name)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        try Self.write("resolv.conf", Self.resolvConf(network, helper), tmpfs.borrowed)
        try Self.write("hosts", Array(hostsText.utf8), tmpfs.borrowed)
        try Self.write("hostname", Array((name + "\n").utf8), tmpfs.borrowed)
        let files = try setup("bind the network files of the sandbox") { () throws(Errno) in
            try cloning(from: tmpfs) { () throws(Errno) in
                var files: [SharedDescriptor] = []
                for name in ["resolv.conf", "hosts", "hostname"] {
                    files.append(try Self.clone(name, in: tmpfs.borrowed))
                }
                return files
            }
        }
        (resolvConf, hosts, hostname) = (files[0], files[1], files[2])
    }

    private static func write(_ name: String, _ content: [UInt8], _ directory: FileDescriptor)
        throws(SandboxError)
    {
        try setup("make /etc/\(name) of the sandbox") { () throws(Errno) in
            let file = try directory.open(
                name, [.create, .writeOnly], mode: 0o644, resolve: .noLinks)
            try file.borrowed.writeFully(content)
        }
    }

    /// A detached mount of one file.
    private static func clone(_ name: String, in directory: FileDescriptor) throws(Errno)
        -> SharedDescriptor
    {
        let place = try directory.open(name, .pathOnly, resolve: .noLinks)
        return SharedDescriptor(try cloneMount(of: place.borrowed))
    }

    private static func resolvConf(_ network: StepCommand.Network, _ helper: NetworkHelper?)
        -> [UInt8]
    {
        switch network {
        case .none: []
        case .host: hostResolvConf()
        case .private: helper?.resolvConf(insteadOf: hostResolvConf()) ?? []
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
