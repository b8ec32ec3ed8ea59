import FoundationEssentials
import HTTP
import Linux
import OCI
import Synchronization
import SystemPackage

/// What servers said of the files that builds fetched, so that the next build asks only whether they changed.
///
/// Nothing of it is needed: without it, files are fetched again.
final class RemoteFileMemory: Sendable {
    private static let name = "remote-files"
    private static let largestCount = 1000
    private static let largestSize = 8 << 20

    private let directory: FileDescriptor
    private let lock = Mutex(())

    /// - Parameter directory: holds the file, and stays open as long as this is used.
    init(in directory: FileDescriptor) { self.directory = directory }

    func file(at url: HTTPURL) -> RemoteFile? {
        lock.withLock { _ in load()[Self.key(url)] }
    }

    /// Remembers a file that can be asked for again.
    func remember(_ file: RemoteFile, at url: HTTPURL) {
        guard file.entityTag != nil || file.lastModified != nil else { return }
        lock.withLock { _ in
            var known = load()
            if known.count >= Self.largestCount { known = [:] }
            known[Self.key(url)] = file
            save(known)
        }
    }

    /// A URL may hold a signature: the store need not know it.
    private static func key(_ url: HTTPURL) -> String {
        var key = CacheKey("URL")
        key.add(url.description)
        return key.finish().hex
    }

    private func load() -> [String: RemoteFile] {
        // Whatever is wrong with the file: it is written anew, and files are fetched once more.
        guard let file = try? directory.open(Self.name, [.readOnly, .noFollow], resolve: .noLinks),
            let bytes = try? file.borrowed.readAll(limit: Self.largestSize),
            let known = try? JSONDecoder().decode([String: RemoteFile].self, from: Data(bytes))
        else { return [:] }
        return known
    }

    private func save(_ known: [String: RemoteFile]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(known) else { return }
        let temporary = "\(Self.name).\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        do {
            let file = try directory.open(
                temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.borrowed.writeFully([UInt8](data))
            try directory.rename(temporary.utf8, to: directory, Self.name.utf8)
        } catch {
            // A failure costs the next build a download, and nothing else.
            try? directory.unlink(temporary.utf8)
        }
    }
}
