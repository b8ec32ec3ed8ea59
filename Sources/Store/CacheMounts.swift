import Archive
public import Layers
public import Linux
import OCI
import SystemPackage

/// Directories that RUNs keep between builds: `RUN --mount=type=cache`.
///
/// They hold what compilers and package managers find useful again: never what an image needs, and no key depends on them.
public struct CacheMount: ~Copyable, Sendable {
    public enum Sharing: String, Sendable, Codable { case shared, `private`, locked }

    /// What RUNs see.
    public let tree: OwnedDescriptor
    /// Made just now, and empty.
    public let isNew: Bool
    /// Held as long as the value lives: a prune leaves the directory, and others wait where that was asked for.
    private let lock: FileLock

    init(tree: consuming OwnedDescriptor, isNew: Bool, lock: consuming FileLock) {
        self.tree = tree
        self.isNew = isNew
        self.lock = lock
    }
}

extension Store {
    /// So many directories of one id are made for builds that must not share theirs.
    private static let mostPrivateCaches = 1000

    /// The directory of a cache mount, made where it is missing.
    ///
    /// - Parameters:
    ///   - sharing: `locked` waits until nobody else has it, `private` takes another of the same id where somebody has it.
    ///   - isCancelled: asked while waiting.
    /// - Returns: nil where the wait was cancelled.
    public func cacheMount(
        _ id: String, _ sharing: CacheMount.Sharing, form: TreeForm, isCancelled: () -> Bool
    ) throws(StoreError) -> CacheMount? {
        // The id is anything that fits into a Dockerfile's line.
        let name = Digest(sha256: Array(id.utf8).withUnsafeBytes { SHA256.digest(of: $0) }).hex
        switch sharing {
        case .shared: return try waitForCache(name, .shared, form, isCancelled)
        case .locked: return try waitForCache(name, .exclusive, form, isCancelled)
        case .private:
            for number in 0..<Self.mostPrivateCaches {
                let other = number == 0 ? name : "\(name)-\(number)"
                if let cache = try takeCache(other, .exclusive, form) { return cache }
            }
            throw StoreError(.damaged("\(Self.mostPrivateCaches) builds use the cache mount \(id)"))
        }
    }

    private func waitForCache(
        _ name: String, _ kind: FileLock.Kind, _ form: TreeForm, _ isCancelled: () -> Bool
    ) throws(StoreError) -> CacheMount? {
        while !isCancelled() {
            if let cache = try takeCache(name, kind, form) { return cache }
            pause(seconds: 0.02)
        }
        return nil
    }

    private func takeCache(_ name: String, _ kind: FileLock.Kind, _ form: TreeForm)
        throws(StoreError) -> CacheMount?
    {
        do throws(Errno) { return try openCache(name, kind, form) } catch {
            throw StoreError(.system(SystemError("open a cache mount", error)))
        }
    }

    private func openCache(_ name: String, _ kind: FileLock.Kind, _ form: TreeForm)
        throws(Errno) -> CacheMount?
    {
        let caches = try openOrMake("mounts/\(form.name)", in: scratch.borrowed)
        let file = try caches.directory.borrowed.open(
            "\(name).lock", [.readWrite, .create], mode: 0o600)
        guard let lock = try FileLock.attempt(file, kind) else { return nil }
        let made = try openOrMake(name, in: caches.directory.borrowed)
        let isNew = made.isNew
        return CacheMount(tree: try made.directory.duplicate(), isNew: isNew, lock: lock)
    }

    private struct MadeDirectory: ~Copyable {
        let directory: OwnedDescriptor
        let isNew: Bool
    }

    private func openOrMake(_ path: String, in directory: FileDescriptor) throws(Errno)
        -> MadeDirectory
    {
        var isNew = true
        do throws(Errno) { try directory.makeDirectory(path.utf8, mode: 0o755) } catch {
            if error != .fileExists { throw error }
            isNew = false
        }
        return MadeDirectory(
            directory: try directory.open(path, [.readOnly, .directory]), isNew: isNew)
    }
}
