import CShims
import Glibc
import SystemPackage

/// Runs `body` on a thread of its own, which may block.
///
/// Swift gives `async` code one thread a core; a `read` or a `waitid` there stops the whole build. Whatever blocks comes
/// through here. A thread costs about 20 µs, so this is for work that is worth that: a blob, a directory, a child process;
/// never for one small file of many. The thread lives exactly as long as `body`, which makes it a safe place to clone a
/// child with `PR_SET_PDEATHSIG` and to wait for it.
public func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let error = tryStartThread { continuation.resume(with: Result(catching: body)) }
        // Not run here: what waits for another such call would wait for ever.
        if let error { continuation.resume(throwing: SystemError("start a thread", error)) }
    }
}

/// From now on a write of this thread to a pipe that nobody reads is an error (EPIPE), and ends no process that has not said so.
public func refuseBrokenPipeSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
}

/// Lets this thread, which may block, do nothing for a while.
public func pause(seconds: Double) { usleep(UInt32(seconds * 1_000_000)) }

/// Starts a detached thread that runs `body` once; where none is to be had (a pids limit), `body` runs here.
public func startThread(_ body: @escaping @Sendable () -> Void) {
    if tryStartThread(body) != nil { body() }
}

/// Starts a detached thread that runs `body` once, or says why it could not.
func tryStartThread(_ body: @escaping @Sendable () -> Void) -> Errno? {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    // Trees are walked by recursion, to a limited depth; memory is taken as far as it is used.
    pthread_attr_setstacksize(&attributes, 32 << 20)
    let box = Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let error = pthread_create(
        &thread, &attributes,
        { raw in
            Unmanaged<ThreadBody>.fromOpaque(raw!).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
    if error == 0 { return nil }
    box.release()
    return Errno(rawValue: error)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
