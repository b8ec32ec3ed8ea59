import Glibc

/// A lock with a condition, for threads that hand buffers to each other.
///
/// `@unchecked Sendable`: both C objects live at fixed addresses from `init` to `deinit`, and
/// their functions may be called from any thread.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` alone among all bodies of this monitor.
    func locked<Value>(_ body: () throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Sleeps until `wake` is called, without the lock. Only inside `locked`; the caller checks
    /// its condition again.
    func wait() { pthread_cond_wait(condition, mutex) }

    /// Wakes all that wait.
    func wake() { pthread_cond_broadcast(condition) }

    /// Lets go of the lock while `body` runs. Only inside `locked`.
    func unlocked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_unlock(mutex)
        defer { pthread_mutex_lock(mutex) }
        return body()
    }
}

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
