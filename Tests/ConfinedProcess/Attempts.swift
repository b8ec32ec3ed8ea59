import Glibc
import Linux
import SystemPackage

/// Prints a line for an attempt: its name and "ok" or the errno.
func report(_ name: String, _ body: () throws -> Void) {
    var result = "ok"
    do { try body() } catch let errno as Errno { result = "\(errno.rawValue)" } catch {
        result = "\(error)"
    }
    // Not print: what is buffered would be printed by a fork, too.
    try? FileDescriptor.standardOutput.writeFully(Array("\(name) \(result)\n".utf8))
}

func call(_ result: Int) throws(Errno) { if result < 0 { throw Errno(rawValue: errno) } }

func blockingThread() throws(Errno) -> Int {
    var thread = pthread_t()
    let result = pthread_create(&thread, nil, { _ in nil }, nil)
    if result != 0 { throw Errno(rawValue: result) }
    return Int(pthread_join(thread, nil))
}

func forkOnce() throws(Errno) {
    let child = fork()
    if child == 0 { _exit(0) }
    try call(Int(child))
}
