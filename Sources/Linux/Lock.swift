import Glibc
public import SystemPackage

/// A lock for threads that may block; for values, `Mutex` of the standard library is better.
public final class Lock: @unchecked Sendable {
    // Proof of Sendable: the mutex is never moved after its initialisation, and pthread_mutex_t is made for sharing.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    public init() {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    public func acquire() { pthread_mutex_lock(mutex) }
    public func release() { pthread_mutex_unlock(mutex) }
}

/// A lock between processes: flock(2) on a file that outlives its owners.
///
/// Held as long as the value lives, and let go by the kernel when its process dies.
public struct FileLock: ~Copyable, Sendable {
    public enum Kind: Sendable { case shared, exclusive }

    private let file: OwnedDescriptor

    /// Waits for the lock.
    public init(_ file: consuming OwnedDescriptor, _ kind: Kind) throws(Errno) {
        while flock(file.raw, kind == .shared ? LOCK_SH : LOCK_EX) != 0 {
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
        self.file = file
    }

    private init(locked file: consuming OwnedDescriptor) { self.file = file }

    /// Takes the lock if nobody holds it against us, nil otherwise.
    public static func attempt(_ file: consuming OwnedDescriptor, _ kind: Kind) throws(Errno)
        -> FileLock?
    {
        if flock(file.raw, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 {
            return FileLock(locked: file)
        }
        if errno == EWOULDBLOCK { return nil }
        throw Errno(rawValue: errno)
    }
}
