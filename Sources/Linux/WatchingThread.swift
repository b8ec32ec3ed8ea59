import CShims
import Glibc
public import SystemPackage

/// A thread that looks at something again and again, until it is stopped.
public final class WatchingThread: @unchecked Sendable {
    // Proof of Sendable: the two flags are touched only with the mutex held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var isStopped = false
    private var isRunning = false

    public init() {
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Not the wall clock: somebody may set it.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Starts the thread; `body` asks `sleep` how long to go on. Once only.
    public func start(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        set { self.isRunning = true }
        let error = tryStartThread {
            body()
            self.set { self.isRunning = false }
        }
        guard let error else { return }
        set { self.isRunning = false }
        throw error
    }

    /// For the thread itself: does nothing for a while. False when it is to end, at once.
    public func sleep(seconds: Double) -> Bool {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = end.tv_nsec + Int(seconds * 1e9)
        end.tv_sec += nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isStopped {
            if pthread_cond_timedwait(changed, mutex, &end) == ETIMEDOUT { break }
        }
        return !isStopped
    }

    /// Ends the thread and waits for that: from now on it holds nothing any more.
    public func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_broadcast(changed)
        while isRunning { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func set(_ change: () -> Void) {
        pthread_mutex_lock(mutex)
        change()
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
