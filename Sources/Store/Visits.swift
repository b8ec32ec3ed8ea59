import Glibc
public import Linux
import Synchronization
import SystemPackage

/// One process's stay in the store: while it lasts, no prune takes away what the process has looked at or made.
///
/// It works by times in whole seconds, which every file system keeps. A visit has a start. What a visitor finds or makes is
/// marked: its modification time is not before that start, and it never goes back. A prune removes nothing whose time is at
/// or after the start of the oldest visit that is going on. Setting marks, giving names, beginning a visit and a whole
/// prune each hold `lock` alone, so that none of them sees another one half done.
///
/// So a visit that a prune finds going on began before it, and its marks are not before its start, which is not before the
/// oldest one; and one that the prune does not find begins after it, and finds what is left. No step of this asks what time
/// it is: a clock that is set back, or another host's, takes nothing away from anybody.
public final class Visit: Sendable {
    private let store: Store
    private let name: String
    private let key: Int
    /// Held while the visit lasts: the kernel lets go of it when its process dies.
    private let lock: FileLock

    fileprivate init(_ store: Store, name: String, start: Int64, lock: consuming FileLock) {
        self.store = store
        self.name = name
        self.lock = lock
        key = store.starts.withLock { $0.add(start) }
    }

    deinit {
        store.starts.withLock { $0.remove(key) }
        // One that stays is found dead by the next prune.
        try? store.root.borrowed.unlink(name.utf8)
    }
}

/// The starts of the visits of one `Store`.
struct VisitStarts: Sendable {
    private var nextKey = 0
    private var starts: [Int: Int64] = [:]

    /// Of the newest visit: what is marked for it is marked for all. Nil for a store that is only looked at.
    var newest: Int64? { starts.values.max() }

    mutating func add(_ start: Int64) -> Int {
        nextKey += 1
        starts[nextKey] = start
        return nextKey
    }

    mutating func remove(_ key: Int) { starts[key] = nil }
}

extension Store {
    private static let visits = "visits"

    /// Begins a visit, which ends with the value.
    public func enter() throws(StoreError) -> Visit {
        let lock = try lockAlone()
        defer { withExtendedLifetime(lock) {} }
        let start = wallClockSeconds()
        let name = "\(Self.visits)/\(start)-\(randomName())"
        let held = try StoreError.during("enter the store") { () throws(Errno) in
            try FileLock(
                try root.borrowed.open(name, [.readWrite, .create, .exclusive], mode: 0o600),
                .exclusive)
        }
        return Visit(self, name: name, start: start, lock: held)
    }

    /// Keeps everybody out, for what must not happen beside a build. Throws `busy` while anyone is in.
    ///
    /// Nothing of this process may be marked, named or entered until the lock is gone.
    public func enterAlone() throws -> FileLock {
        let lock = try lockAlone()
        if try oldestVisit() != nil {
            throw StoreError(.busy, hint: "try again when it has ended")
        }
        return lock
    }

    /// Held for moments by everything that changes what is in the store; by a prune from its first look to its last removal.
    public func lockAlone() throws(StoreError) -> FileLock {
        try StoreError.during("lock the store") { () throws(Errno) in
            try FileLock(try openLock("lock"), .exclusive)
        }
    }

    /// The start of the oldest visit that is going on; nil where nobody is in. The caller has the lock; what the dead left goes.
    public func oldestVisit() throws -> Int64? {
        var oldest: Int64?
        for name in try names(in: Self.visits) {
            guard let start = name.split(separator: "-").first.flatMap({ Int64($0) }) else {
                continue
            }
            let path = "\(Self.visits)/\(name)"
            let isDead = try StoreError.during("look who is in the store") { () throws(Errno) in
                do throws(Errno) {
                    let file = try root.borrowed.open(path, .readWrite)
                    return try FileLock.attempt(file, .exclusive) != nil
                } catch {
                    if error == .noSuchFileOrDirectory { return true }
                    throw error
                }
            }
            if isDead { try remove(path) } else { oldest = min(oldest ?? start, start) }
        }
        return oldest
    }

    /// The same store for one who only looks: nothing is marked as used by it.
    public func onlooker() throws(StoreError) -> Store {
        try StoreError.during("open the store") { () throws(Errno) in
            Store(root: try root.duplicate(), scratch: try scratch.duplicate())
        }
    }

    // MARK: - Marks

    /// The status of a file, which is now marked for the visits of this store; nil if it is not there.
    func mark(_ path: String, in directory: FileDescriptor) throws(StoreError) -> FileStatus? {
        func status() throws(StoreError) -> FileStatus? {
            try StoreError.during("look at \(path) in the store") { () throws(Errno) in
                try directory.statusIfPresent(of: path.utf8)
            }
        }
        let seen = try status()
        guard let seen, let start = starts.withLock({ $0.newest }), seen.modified.seconds < start
        else { return seen }
        let lock = try lockAlone()
        defer { withExtendedLifetime(lock) {} }
        guard let found = try status() else { return nil }
        if found.modified.seconds >= start { return found }
        try StoreError.during("mark \(path) in the store") { () throws(Errno) in
            try directory.setTimes(path.utf8, FileTime(seconds: max(start, wallClockSeconds())))
        }
        return found
    }

    /// Gives a new file its name, marked. Under the lock: else a prune could look at the old file and remove the new one.
    func place(
        _ temporary: String?, _ file: FileDescriptor, as path: String, in directory: FileDescriptor
    ) throws(StoreError) {
        let lock = try lockAlone()
        defer { withExtendedLifetime(lock) {} }
        try StoreError.during("keep \(path) in the store") { () throws(Errno) in
            let replaced = try directory.statusIfPresent(of: path.utf8)?.modified.seconds
            if let time = markTime(replacing: replaced) {
                try file.setTimes(EmptyCollection<UInt8>(), time)
            }
            try directory.place(file, named: temporary, as: path)
        }
    }

    /// When something new is said to be made; nil where nobody has a visit, and the kernel's time is as good.
    func markTime(replacing old: Int64?) -> FileTime? {
        starts.withLock { $0.newest }.map {
            FileTime(seconds: max($0, wallClockSeconds(), old ?? $0))
        }
    }
}
