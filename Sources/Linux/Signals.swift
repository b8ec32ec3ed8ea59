import CShims
import Glibc
public import SystemPackage

/// SIGINT, SIGTERM and SIGHUP, told to one function.
public enum Signals {
    /// From now on each of these signals calls `handler` on a thread of its own, which may block and lock.
    ///
    /// Call once. A C handler writes to a pipe and the thread reads it: neither blocked masks nor
    /// dispatch sources can be relied on beside Swift's own threads.
    public static func `catch`(_ handler: @escaping @Sendable (CInt) -> Void) throws(Errno) {
        var pipe: CInt = -1
        let result = sbx_catch_signals(&pipe)
        if result < 0 { throw Errno(rawValue: -result) }
        let reader = SignalReader(pipe: pipe, handler: handler)
        let box = Unmanaged.passRetained(reader)
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<SignalReader>.fromOpaque(raw!).takeRetainedValue().readForever()
                return nil
            }, box.toOpaque())
        guard error == 0 else {
            box.release()
            throw Errno(rawValue: error)
        }
        pthread_detach(thread)
    }

    /// Ends this process as `signal` does by default, so that a shell sees why.
    public static func die(by signal: CInt) -> Never { sbx_die_by_signal(signal) }
}

private final class SignalReader: Sendable {
    private let pipe: CInt
    private let handler: @Sendable (CInt) -> Void

    init(pipe: CInt, handler: @escaping @Sendable (CInt) -> Void) {
        self.pipe = pipe
        self.handler = handler
    }

    func readForever() {
        var byte: UInt8 = 0
        while true {
            let count = read(pipe, &byte, 1)
            if count == 1 { handler(CInt(byte)) } else if count == 0 || errno != EINTR { return }
        }
    }
}
