import Glibc

/// A thread that must be joined.
struct WorkerThread: ~Copyable {
    private let thread: pthread_t

    /// Starts `body`; nil when the system gives no thread, as under a pids limit.
    init?(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if error != 0 {
            box.release()
            return nil
        }
        self.thread = thread
    }

    /// Waits until the body has returned. What the thread wrote is seen after.
    consuming func join() {
        let thread = self.thread
        discard self
        pthread_join(thread, nil)
    }

    /// A forgotten thread is waited for, too: nothing it uses may go first.
    deinit { pthread_join(thread, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
