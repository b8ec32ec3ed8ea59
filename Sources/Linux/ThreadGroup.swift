import Glibc

/// Waits for a number of threads.
public final class ThreadGroup: @unchecked Sendable {
    // Proof of Sendable: `count` is touched only with the mutex held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let ended: UnsafeMutablePointer<pthread_cond_t>
    private var count = 0

    public init() {
        mutex = .allocate(capacity: 1)
        ended = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(ended, nil)
    }

    deinit {
        pthread_cond_destroy(ended)
        pthread_mutex_destroy(mutex)
        ended.deallocate()
        mutex.deallocate()
    }

    public func start(_ body: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        count += 1
        pthread_mutex_unlock(mutex)
        startThread {
            body()
            pthread_mutex_lock(self.mutex)
            self.count -= 1
            pthread_cond_broadcast(self.ended)
            pthread_mutex_unlock(self.mutex)
        }
    }

    public func wait() {
        pthread_mutex_lock(mutex)
        while count > 0 { pthread_cond_wait(ended, mutex) }
        pthread_mutex_unlock(mutex)
    }
}
