import Glibc

/// A lock with a condition, for threads that wait for each other and may block.
public final class Monitor: @unchecked Sendable {
    // Proof of Sendable: both C objects live at fixed addresses from `init` to `deinit`, and their functions may be called
    // from any thread.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init() {
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
    public func locked<Value>(_ body: () throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Sleeps until `wake` is called, without the lock. Only inside `locked`; the caller checks its condition again.
    public func wait() { pthread_cond_wait(condition, mutex) }

    /// Wakes all that wait.
    public func wake() { pthread_cond_broadcast(condition) }

    /// Lets go of the lock while `body` runs. Only inside `locked`.
    public func unlocked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_unlock(mutex)
        defer { pthread_mutex_lock(mutex) }
        return body()
    }

    /// Waits until `value` gives something; asked again after each `change`.
    public func wait<Value>(for value: () throws -> Value?) rethrows -> Value {
        try locked {
            while true {
                if let value = try value() { return value }
                wait()
            }
        }
    }

    /// Makes a change, and wakes all who wait for one.
    public func change(_ body: () -> Void) {
        locked {
            body()
            wake()
        }
    }
}
