import Glibc

/// Lets threads that may block wait until something that another thread does has come true.
public final class Condition: @unchecked Sendable {
    // Proof of Sendable: neither is moved after its initialisation, and both are made for sharing.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    public init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Waits until `value` gives something; asked again after each change.
    public func wait<Value>(for value: () throws -> Value?) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let value = try value() { return value }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// Makes a change, and wakes all who wait for one.
    public func signal(_ change: () -> Void) {
        pthread_mutex_lock(mutex)
        change()
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
