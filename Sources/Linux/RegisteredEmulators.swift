import SystemPackage

/// Emulators that the kernel starts for the programs of other machines, in this user namespace and in those below it, as long
/// as this value lives. What the host has registered counts no more there.
///
/// It is a binfmt_misc of the namespace's own, which Linux has from 6.7 on. It is attached nowhere: no process finds it.
public final class RegisteredEmulators: Sendable {
    private let mount: OwnedDescriptor

    /// The caller is root of its user namespace.
    public init(_ emulators: [Emulator]) throws(SystemError) {
        mount = try Self.mount(emulators)
    }

    private static func mount(_ emulators: [Emulator]) throws(SystemError) -> OwnedDescriptor {
        let context = try FileSystemContext("binfmt_misc")
        let mount = try context.mount([.noSetUserID, .noDevices, .noExecution])
        for emulator in emulators { try register(emulator, in: mount.borrowed) }
        return mount
    }

    private static func register(_ emulator: Emulator, in mount: FileDescriptor) throws(SystemError)
    {
        guard let machine = Machine(architecture: emulator.architecture) else {
            throw SystemError("register an emulator", .invalidArgument)
        }
        try during("register \(printable(emulator.path.utf8))") { () throws(Errno) in
            let file = try FileDescriptor.workingDirectory.open(
                emulator.path, .pathOnly, resolve: .system)
            // A RUN finds it under /proc/*/exe: whoever owns the file, it can't be written to that way.
            let interpreter = try cloneMount(of: file.borrowed)
            try interpreter.setMountAttributes([.readOnly, .noSetUserID, .noDevices])
            let register = try mount.open("register", .writeOnly)
            try register.borrowed.writeFully(line(for: machine, interpreter.borrowed))
        }
    }

    /// `P`: programs see their own name. `O`, `C`: set-user-id programs are so for a RUN that may have them at all. `F`: the
    /// interpreter is opened now, here.
    private static func line(for machine: Machine, _ interpreter: FileDescriptor) -> [UInt8] {
        func escaped(_ bytes: [UInt8]) -> String {
            bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let (magic, mask) = machine.signature
        let path = "/proc/self/fd/\(interpreter.rawValue)"
        return Array(":\(machine.name):M::\(escaped(magic)):\(escaped(mask)):\(path):POCF".utf8)
    }
}
