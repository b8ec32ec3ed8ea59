import Glibc
import Linux
import Policy
import SystemPackage

/// Shuts itself in as the reader of archives does, with `path` open, and tries to get out.
func tryAsReader(_ path: String) -> Never {
    do {
        let here = FileDescriptor.workingDirectory
        let file = try here.open(path, .readWrite, resolve: .system)
        let outside = try here.open("/", [.readOnly, .directory], resolve: .system)
        let parent = getppid()
        let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        let program = try SandboxPolicy.readerProgram(
            architecture: Architecture.current!, kernel: KernelVersion.running!)
        // What a file must not grow by is told by the errno, not by a signal.
        signal(SIGXFSZ, SIG_IGN)
        try confineToDescriptors(filter: program.bytes)
        report("read") { _ = try file.borrowed.readAll(limit: 100) }
        report("thread") { _ = try blockingThread() }
        report("memory") {
            let more = mmap(
                nil, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            if more == MAP_FAILED { throw Errno(rawValue: errno) }
        }
        report("write a file") { try file.borrowed.writeFully([1]) }
        report("open a path") { _ = try here.open("/etc/passwd", .readOnly, resolve: .system) }
        report("left descriptor") { _ = try outside.borrowed.open("etc", .readOnly) }
        report("look at a path") { try call(Int(access("/etc/passwd", F_OK))) }
        report("remove a path") { try here.unlink(path.utf8) }
        report("socket") { try call(Int(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))) }
        report("pipe") { _ = try Pipe() }
        report("fork") { try forkOnce() }
        report("execute") { try call(Int(execv("/proc/self/exe", [nil]))) }
        report("signal") { try call(Int(kill(parent, 0))) }
        report("make code") { try call(Int(mprotect(page, 4096, PROT_READ | PROT_EXEC))) }
        report("own file") { try call(Int(fcntl(file.raw, F_SETOWN, parent))) }
    } catch { report("\(error)") {} }
    _exit(0)
}
