import Glibc
import Linux
import Policy
import SystemPackage

// Shuts itself in as the unpacker does, between a directory that it may change and one that it may read, and tries to get out.
// With the word "reader" and a file: as the reader of archives does.

if CommandLine.arguments[1] == "reader" { tryAsReader(CommandLine.arguments[2]) }
let here = FileDescriptor.workingDirectory
let writable = try here.open(CommandLine.arguments[1], [.readOnly, .directory], resolve: .system)
let readable = try here.open(CommandLine.arguments[2], [.readOnly, .directory], resolve: .system)
let outside = try here.open("/", [.readOnly, .directory], resolve: .system)
let program = try SandboxPolicy.unpackerProgram(
    architecture: Architecture.current!, kernel: KernelVersion.running!)
try confineToFiles(
    below: writable.borrowed, reading: readable.borrowed,
    capabilities: SandboxPolicy.unpackerCapabilities.rawValue, filter: program.bytes)

report("write below") {
    let file = try writable.borrowed.open("new", [.writeOnly, .create], mode: 0o644)
    try file.borrowed.writeFully([1])
    try file.borrowed.setExtendedAttribute("user.x".utf8, [1])
}
report("attribute of a link") {
    try writable.borrowed.makeSymbolicLink("link".utf8, to: "nowhere".utf8)
    let link = try writable.borrowed.open("link", [.pathOnly, .noFollow], resolve: .noLinks)
    _ = try link.borrowed.extendedAttributes()
}
report("read beside") { _ = try readable.borrowed.open("file", .readOnly) }
report("thread") { _ = try blockingThread() }
report("write beside") { _ = try readable.borrowed.open("new", [.writeOnly, .create]) }
// A descriptor that was open before, of a directory that is neither of the two: only Landlock stands before it.
report("left descriptor") {
    _ = try outside.borrowed.open("etc/passwd", .readOnly, resolve: .system)
}
report("host path") { _ = try here.open("/etc/passwd", .readOnly, resolve: .system) }
report("host root") { _ = try here.open("/proc/1/root/etc", .readOnly, resolve: .system) }
report("up") { _ = try writable.borrowed.open("../..", .readOnly, resolve: .system) }
report("socket") { try call(Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))) }
report("fork") { try forkOnce() }
report("execute") { try call(Int(execv("/proc/self/exe", [nil]))) }
report("mount") { try call(Int(mount("x", "/proc", "tmpfs", 0, nil))) }
report("ptrace") { try call(Int(kill(getppid() + 1, 0))) }
