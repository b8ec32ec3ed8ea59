public import Linux
import Synchronization
import SystemPackage

/// A directory of one process's own below `work/`, with a lock that says it is still in use.
///
/// What a killed process leaves in it is removed by the next one: the kernel lets go of its lock.
public final class WorkArea: Sendable {
    public let directory: OwnedDescriptor
    private let lock: FileLock
    private let parent: OwnedDescriptor
    private let name: String
    /// Who works here is in the store.
    private let visit: Mutex<Visit?>

    init(in parent: consuming OwnedDescriptor, prefix: String = "", visit: Visit? = nil)
        throws(Errno)
    {
        name = prefix + randomName()
        self.visit = Mutex(visit)
        self.parent = parent
        let made = try Self.make(name, in: self.parent.borrowed)
        directory = made.directory
        lock = made.lock
    }

    private struct Made: ~Copyable {
        let directory: OwnedDescriptor
        let lock: FileLock
    }

    private static func make(_ name: String, in parent: FileDescriptor) throws(Errno) -> Made {
        // Under a name that is not swept until the lock is held: else a sweep could take the lock first.
        let unlocked = unlockedPrefix + name
        try parent.makeDirectory(unlocked.utf8, mode: 0o700)
        do throws(Errno) {
            let directory = try parent.open(unlocked, [.readOnly, .directory])
            let lock = try FileLock(
                try directory.borrowed.open("lock", [.readWrite, .create], mode: 0o600), .exclusive)
            try parent.rename(unlocked.utf8, to: parent, name.utf8)
            return Made(directory: directory, lock: lock)
        } catch {
            // The error above is the one that counts; a left-over is swept up later.
            try? removeTree(unlocked.utf8, in: parent)
            throw error
        }
    }

    /// Below the store's scratch directory: how another process of the same build finds it.
    public var scratchPath: String { "work/\(name)" }

    /// Of areas whose lock is about to be taken.
    static let unlockedPrefix = "new-"

    /// Runs what has to go well for the area to be of use.
    public func removedOnFailure<Value>(_ body: (WorkArea) throws -> Value) throws -> Value {
        do { return try body(self) } catch {
            // The error above is the one that counts; a left-over is swept up by the next build.
            try? remove()
            throw error
        }
    }

    /// Removes it with all that is in it, and ends the visit.
    public func remove() throws {
        try removeTree(name.utf8, in: parent.borrowed)
        visit.withLock { $0 = nil }
    }
}

extension Store {
    /// A new work area where trees are, so that a finished tree is renamed and not copied.
    ///
    /// It is a visit: nothing that its owner looks at or makes is taken away.
    public func newWorkArea() throws(StoreError) -> WorkArea {
        let visit = try enter()
        return try StoreError.during("make a work area") { () throws(Errno) in
            let work = try scratch.borrowed.open("work", [.readOnly, .directory])
            // Else ext4 puts every build's files where those of the last ones were removed, and its search for a free inode passes
            // over each that was freed in the last minutes: a tree of 30,000 files took 8 s in place of 1. Other file systems know
            // no such wish.
            try? work.borrowed.spreadDirectories()
            return try WorkArea(in: work, visit: visit)
        }
    }

    /// What another process of the same build has put there.
    public func openScratch(_ path: String) throws(StoreError) -> OwnedDescriptor {
        try StoreError.during("open \(path) in the store") { () throws(Errno) in
            try scratch.borrowed.open(path, .pathOnly, resolve: .noLinks)
        }
    }

    /// Removes what killed processes left, as far as this process may: files of subordinate ids go only in their namespace.
    public func sweep() {
        if let lock = try? lockAlone() {
            // Asking removes the marks of the dead.
            _ = try? oldestVisit()
            _ = consume lock
        }
        for directory in [root.borrowed, scratch.borrowed] {
            // Left-overs can't hurt, and the next process tries again.
            guard let work = try? directory.open("work", [.readOnly, .directory]),
                let names = try? DirectoryReader().names(in: work.borrowed)
            else { continue }
            for name in names { sweep(name, in: work.borrowed) }
        }
    }

    private func sweep(_ name: [UInt8], in work: FileDescriptor) {
        guard let status = try? work.status(of: name) else { return }
        if status.kind != .directory {
            // Single files are in flight for seconds; an hour is long enough for any disk.
            if wallClockSeconds() - status.changed.seconds > 3600 { try? work.unlink(name) }
            return
        }
        guard let area = try? work.open(name, [.readOnly, .directory, .noFollow]) else { return }
        if name.starts(with: WorkArea.unlockedPrefix.utf8) {
            // Its process died before the lock was taken, or is about to take it.
            if wallClockSeconds() - status.changed.seconds > 3600 {
                try? removeTree(name, in: work)
            }
            return
        }
        do throws(Errno) {
            let file = try area.borrowed.open("lock", .readWrite)
            guard let lock = try FileLock.attempt(file, .exclusive) else { return }
            try? removeTree(name, in: work)
            _ = consume lock
        } catch {
            // It got its name with a lock in it: so its owner is removing it, or could not remove the rest.
            if error == .noSuchFileOrDirectory { try? removeTree(name, in: work) }
        }
    }
}
