// Mounts an overlay the way of kernels before Linux 6.13, for the tests of that way: OldMounts DIRECTORY COUNT
//
// DIRECTORY holds the lower directories 1 to COUNT (the highest is topmost), upper and work. Runs as root of a user and a
// mount namespace. Prints the sorted names of the overlay's root, then makes the file `made` in it.

import Glibc
import Linux
import Sandbox
import SystemPackage

func open(_ path: String) throws -> SharedDescriptor {
    SharedDescriptor(
        try FileDescriptor.workingDirectory.open(path, [.readOnly, .directory], resolve: .system))
}

do {
    let (directory, count) = (CommandLine.arguments[1], Int(CommandLine.arguments[2])!)
    let lowers = try (1...count).reversed().map { try open("\(directory)/\($0)") }
    let (upper, work) = (try open("\(directory)/upper"), try open("\(directory)/work"))
    let rootfs = try Rootfs(
        lowers: lowers.map(\.borrowed), upper: upper.borrowed, work: work.borrowed,
        allowsSetUserID: false, forcingOldMounts: true)
    // A descriptor that may be read, and not only be walked from.
    let root = try rootfs.mount.borrowed.open(".", [.readOnly, .directory])
    let names = try DirectoryReader().names(in: root.borrowed)
    for name in names.map({ String(decoding: $0, as: UTF8.self) }).sorted() { print(name) }
    _ = try root.borrowed.open("made", [.create, .exclusive, .writeOnly], mode: 0o644)
    withExtendedLifetime((lowers, upper, work)) {}
} catch {
    print("error: \(error)")
    exit(1)
}
