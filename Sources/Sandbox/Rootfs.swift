public import Linux
public import SystemPackage

/// The root file system of a step: an overlay of layers, mounted and not attached anywhere.
///
/// Held by its descriptor; everything in it is opened below that. When the value goes, and no sandbox uses it, the kernel
/// unmounts it.
public struct Rootfs: ~Copyable {
    public let mount: OwnedDescriptor

    /// Mounts `lowers` (topmost first) below `upper`.
    ///
    /// - Parameters:
    ///   - lowers: open directories in this mount namespace, at least one.
    ///   - allowsSetUserID: leaves `nosuid` out, for steps in which sudo shall work.
    ///
    /// The upper's own directory is the root's: the caller gives it mode, owner and times. Overlay's `volatile`: nothing is
    /// synced, because a finished upper is packed at once and trees of another boot are not trusted.
    public init(
        lowers: [FileDescriptor], upper: FileDescriptor, work: FileDescriptor,
        allowsSetUserID: Bool,
        forcingOldMounts: Bool = false
    ) throws(SandboxError) {
        var attributes: MountAttributes = [.noDevices]
        if !allowsSetUserID { attributes.insert(.noSetUserID) }
        // Linux 6.13 takes descriptors; 6.5 takes each layer as a path; before that, all in one string of mount(2).
        if !forcingOldMounts,
            let mount = try Self.mountByDescriptors(lowers, upper, work, attributes)
        {
            self.mount = mount
        } else {
            self.mount = try Self.mountByPaths(lowers, upper, work, attributes)
        }
    }

    /// Mounts a directory that holds all files of the step: a copy, where there is no overlay.
    public init(copy: FileDescriptor, allowsSetUserID: Bool) throws(SandboxError) {
        var attributes: MountAttributes = [.noDevices]
        if !allowsSetUserID { attributes.insert(.noSetUserID) }
        let flags = attributes
        mount = try setup("mount the copy") { () throws(Errno) in
            let mount = try cloneMount(of: copy)
            try mount.setMountAttributes(flags)
            return mount
        }
    }

    private static func mountByDescriptors(
        _ lowers: [FileDescriptor], _ upper: FileDescriptor, _ work: FileDescriptor,
        _ attributes: MountAttributes
    ) throws(SandboxError) -> OwnedDescriptor? {
        try setup { () throws(SystemError) in
            let context = try FileSystemContext("overlay")
            for (index, lower) in lowers.enumerated() {
                if index == 0, !context.accepts("lowerdir+", lower) { return nil }
                if index > 0 { try context.set("lowerdir+", lower) }
            }
            try context.set("upperdir", upper)
            try context.set("workdir", work)
            try context.set("userxattr")
            try context.set("volatile")
            return try context.mount(attributes)
        }
    }

    /// The way before Linux 6.13. /proc/self/fd names are short: 220 layers fit into the page that mount(2) takes, where real
    /// paths end at about 60 with a misleading ENOENT.
    private static func mountByPaths(
        _ lowers: [FileDescriptor], _ upper: FileDescriptor, _ work: FileDescriptor,
        _ attributes: MountAttributes
    ) throws(SandboxError) -> OwnedDescriptor {
        let lower = lowers.map { "/proc/self/fd/\($0.rawValue)" }.joined(separator: ":")
        let options =
            "userxattr,volatile,lowerdir=\(lower),upperdir=/proc/self/fd/\(upper.rawValue),"
            + "workdir=/proc/self/fd/\(work.rawValue)"
        if options.utf8.count > 4095 {
            throw SandboxError(
                .host(
                    "this kernel mounts at most about 220 layers at once, and the image has \(lowers.count)"
                ),
                hint: "Linux 6.13 or newer has no such limit; else squash the base image")
        }
        return try setup { () throws(SystemError) in
            try mountOverlay(options: options, attributes: attributes)
        }
    }
}
