import FoundationEssentials
import Glibc
import Linux
import SystemPackage
import TestSupport

/// What one path is, as far as the kernel tells: two equal snapshots mean that nobody touched it.
struct PathSnapshot: Equatable, CustomStringConvertible {
    var kind: FileKind
    var permissions, uid, linkCount: UInt32
    var inode, size: UInt64
    var modified, changed: FileTime
    var attributes: [ExtendedAttribute]
    /// Of a file its bytes, of a link its target, of a directory nothing: its entries have lines of their own.
    var content: [UInt8]

    var description: String {
        "\(kind) \(String(permissions, radix: 8)) uid \(uid) inode \(inode) links \(linkCount) size \(size) "
            + "m \(modified.seconds).\(modified.nanoseconds) c \(changed.seconds).\(changed.nanoseconds) "
            + "\(attributes.count) attributes"
    }

    /// - Parameter isRead: not for a large file, whose ctime says as much: nobody can set it.
    init(_ path: String, isRead: Bool = true) throws {
        let file = try FileDescriptor.workingDirectory.open(
            path, [.pathOnly, .noFollow], resolve: .system)
        let status = try file.borrowed.status()
        kind = status.kind
        (permissions, uid, linkCount) = (status.permissions, status.uid, status.linkCount)
        (inode, size) = (status.inode, status.size)
        (modified, changed) = (status.modified, status.changed)
        attributes = try file.borrowed.extendedAttributes()
        switch status.kind {
        case .regular where isRead: content = Array(try Data(contentsOf: URL(filePath: path)))
        case .symbolicLink: content = try file.borrowed.readLink()
        default: content = []
        }
    }

    /// A directory and all below it, by path.
    static func tree(_ root: String) throws -> [String: PathSnapshot] {
        var found = [root: try PathSnapshot(root)]
        guard found[root]?.kind == .directory else { return found }
        for name in try FileManager.default.contentsOfDirectory(atPath: root) {
            found.merge(try tree("\(root)/\(name)")) { $1 }
        }
        return found
    }
}

/// Files that nothing of a build may read, write, link, rename or remove. They lie next to context, store and layout.
struct Canary: Sendable {
    let path: String
    /// The content of `secret.txt`, which occurs nowhere else in the world.
    let secret: String

    init(in directory: TemporaryDirectory) throws {
        path = directory.path("canary")
        secret = "canary-" + String(UInt64.random(in: 0 ... .max), radix: 16)
        for folder in [path] + ["dir", "dev", "proc", "sys"].map({ "\(path)/\($0)" }) {
            guard mkdir(folder, 0o755) == 0 else { throw TestSupportError("mkdir \(folder)") }
        }
        try directory.write("canary/secret.txt", secret.utf8)
        // Empty, and called as what builders make to mount on, and take away again.
        for name in ["empty", "resolv.conf", "hosts", "hostname"] {
            try directory.write("canary/\(name)", "".utf8)
        }
        try directory.write("canary/dir/ORIGINAL", "original".utf8)
        let file = try FileDescriptor.workingDirectory.open(
            path + "/secret.txt", .readOnly, resolve: .system)
        try file.borrowed.setExtendedAttribute("user.canary".utf8, Array("sings".utf8))
    }

    func snapshot() throws -> [String: PathSnapshot] { try PathSnapshot.tree(path) }
}
