import Linux
public import SystemPackage

/// The places in a rootfs where a sandbox mounts something, and what to undo there afterwards.
///
/// Most images have them, and `stub` (the lowest layer of every step) adds those that an image lacks. Where the image hides the
/// stub's (a whiteout, an opaque directory), the place is made in the step's upper directory, and taken away after the step:
/// neither it nor a changed time of its parent enters the layer.
struct MountPoints: ~Copyable {
    let proc, sys, dev, resolvConf, hosts, hostname: OwnedDescriptor
    private let made: [Made]

    /// A place that was made: to be taken away again, and its parent's times to be put back.
    private struct Made {
        var parent: [UInt8]
        var name: [UInt8]
        var kind: FileKind
        var parentModified: FileTime
    }

    static let directories = ["proc", "sys", "dev"]
    static let files = ["resolv.conf", "hosts", "hostname"]

    init(in rootfs: borrowing Rootfs) throws(SandboxError) {
        var made: [Made] = []
        let root = rootfs.mount.borrowed
        let proc = try Self.place([], "proc", .directory, root, &made)
        let sys = try Self.place([], "sys", .directory, root, &made)
        let dev = try Self.place([], "dev", .directory, root, &made)
        _ = try Self.place([], "etc", .directory, root, &made, followingLink: true)
        let etc = Array("etc".utf8)
        let resolvConf = try Self.place(etc, "resolv.conf", .regular, root, &made)
        let hosts = try Self.place(etc, "hosts", .regular, root, &made)
        let hostname = try Self.place(etc, "hostname", .regular, root, &made)
        self.proc = proc
        self.sys = sys
        self.dev = dev
        self.resolvConf = resolvConf
        self.hosts = hosts
        self.hostname = hostname
        self.made = made
    }

    /// Opens `parent/name` to mount at. A link stays a link here: the kernel mounts over the link itself, so that wherever it
    /// points, or does not, the name leads to our file.
    private static func place(
        _ parent: [UInt8], _ name: String, _ kind: FileKind, _ root: FileDescriptor,
        _ made: inout [Made],
        followingLink: Bool = false
    ) throws(SandboxError) -> OwnedDescriptor {
        let path = "/" + printable(parent + (parent.isEmpty ? [] : [0x2f])) + name
        let directory = try setup("open /\(printable(parent)) of the image") { () throws(Errno) in
            try root.open(
                parent.isEmpty ? Array(".".utf8) : parent, [.readOnly, .directory], resolve: .inRoot
            )
        }
        let status = try setup("look at \(path) of the image") { () throws(Errno) in
            try directory.borrowed.statusIfPresent(of: name.utf8)
        }
        if status == nil {
            made.append(try make(name, kind, parent, directory.borrowed, path))
        }
        let start = followingLink ? root : directory.borrowed
        let place = try open(name, followingLink ? .pathOnly : [.pathOnly, .noFollow], start, path)
        let found = try setup("look at \(path) of the image") { () throws(Errno) in
            try place.borrowed.status()
        }
        if kind == .directory ? found.kind != .directory : found.kind == .directory {
            let wanted = kind == .directory ? "a directory" : "a file"
            throw SandboxError(
                .image("\(path) of the image is not \(wanted), and a RUN needs one there"))
        }
        return place
    }

    private static func open(
        _ name: String, _ flags: OpenFlags, _ directory: FileDescriptor, _ path: String
    ) throws(SandboxError) -> OwnedDescriptor {
        do throws(Errno) { return try directory.open(name, flags, resolve: .inRoot) } catch {
            throw SandboxError(
                .image("\(path) of the image leads nowhere (\(error.inWords)), and a RUN needs it"))
        }
    }

    private static func make(
        _ name: String, _ kind: FileKind, _ parent: [UInt8], _ directory: FileDescriptor,
        _ path: String
    ) throws(SandboxError) -> Made {
        try setup("make \(path) for the length of a RUN") { () throws(Errno) in
            let before = try directory.status().modified
            if kind == .directory {
                try directory.makeDirectory(name.utf8, mode: 0o755)
            } else {
                _ = try directory.open(
                    name, [.create, .exclusive, .writeOnly], mode: 0o644, resolve: .noLinks)
            }
            try directory.setTimes(EmptyCollection(), before)
            return Made(parent: parent, name: Array(name.utf8), kind: kind, parentModified: before)
        }
    }

    /// Takes away what was made, as far as it is still ours: an empty file or an empty directory.
    func undo(in rootfs: borrowing Rootfs) {
        for place in made.reversed() {
            // A RUN may have removed the parent, or put something in its place: then there is nothing of ours left.
            guard
                let directory = try? rootfs.mount.borrowed.open(
                    place.parent.isEmpty ? Array(".".utf8) : place.parent, [.readOnly, .directory],
                    resolve: .inRoot),
                let parent = try? directory.borrowed.status(),
                let status = try? directory.borrowed.status(of: place.name),
                status.kind == place.kind
            else { continue }
            if place.kind == .directory {
                guard (try? directory.borrowed.removeEmptyDirectory(place.name)) != nil else {
                    continue
                }
            } else {
                guard status.size == 0, (try? directory.borrowed.unlink(place.name)) != nil else {
                    continue
                }
            }
            // Only a time that is still the one we put there is ours to put back.
            if parent.modified == place.parentModified {
                try? directory.borrowed.setTimes(EmptyCollection<UInt8>(), place.parentModified)
            }
        }
    }
}

/// Makes the lowest layer of every step below `directory`: the mount points that an image may lack.
///
/// At the bottom, not on top: a layer on top would change the image's own directories. Its times are fixed, so that a
/// directory copied up from it is the same everywhere.
public func makeStubLayer(in directory: FileDescriptor) throws(SandboxError) {
    try setup("make the mount points") { () throws(Errno) in
        for name in MountPoints.directories + ["etc"] {
            try directory.makeDirectory(name.utf8, mode: 0o755)
        }
        let etc = try directory.open("etc", [.readOnly, .directory])
        for name in MountPoints.files {
            let file = try etc.borrowed.open(name, [.create, .exclusive, .writeOnly], mode: 0o644)
            try file.borrowed.setTimes(EmptyCollection(), FileTime(seconds: 0))
        }
        for name in MountPoints.directories + ["etc"] {
            try directory.setTimes(name.utf8, FileTime(seconds: 0))
        }
    }
}
