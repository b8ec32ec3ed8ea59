public import Layers
public import Linux
import Synchronization
public import SystemPackage

/// Remembers the digests of context files over builds, in one file.
///
/// A file is the same while device, inode, size, mtime and ctime are: whoever writes to it changes its ctime. The clock that stamps
/// files is coarse, so a file that changed just before it was read is not remembered (git's rule for its index).
///
/// A damaged file is as good as none. Two builds at once are no harm: who saves last adds to what the other left.
public final class ContentDigestCache: ContentDigests, Sendable {
    /// Files with newer times than this before they were read may change again within the same tick.
    static let settlingSeconds: Int64 = 2
    /// The most that are kept: 22 MB, which each build with a COPY reads and hashes.
    static let largestCount = 250_000

    private struct State {
        /// What earlier builds left.
        let kept: DigestFile
        /// Those of `kept` that were asked for, and what is new: these stay when there are too many.
        var isUsed: [Bool]
        var new: [DigestFile.Key: KnownContent] = [:]
        var isChanged = false
    }

    private let directory: FileDescriptor
    private let name: String
    private let state: Mutex<State>

    /// - Parameter directory: holds the file, and stays open as long as this is used.
    public init(in directory: FileDescriptor, name: String = "digests") {
        self.directory = directory
        self.name = name
        let kept = DigestFile(name, in: directory)
        state = Mutex(State(kept: kept, isUsed: Array(repeating: false, count: kept.count)))
    }

    public func content(of status: FileStatus) -> KnownContent? {
        let key = DigestFile.Key(status)
        return state.withLock { state in
            if let content = state.new[key] { return content }
            guard let index = state.kept.index(of: key) else { return nil }
            state.isUsed[index] = true
            return state.kept.content(at: index)
        }
    }

    public func remember(
        _ content: KnownContent, of status: FileStatus, readAt time: FileTime
    ) {
        let settled = time.seconds - Self.settlingSeconds
        guard status.modified.seconds < settled, status.changed.seconds < settled else { return }
        let key = DigestFile.Key(status)
        state.withLock { state in
            state.new[key] = content
            state.isChanged = true
        }
    }

    /// Writes what is known, if anything is new. Nothing of it is needed: a failure costs time in the next build, no more.
    public func save() throws(SystemError) {
        let bytes: [UInt8]? = state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            return DigestFile.encoded(merged(state))
        }
        guard let bytes else { return }
        try DigestFile.replace(name, in: directory, with: bytes)
    }

    /// What there is now, by whomever, with what is new; of too many those that this build has used.
    private func merged(_ state: State) -> [DigestFile.Key: KnownContent] {
        var all = state.new
        for index in 0..<state.kept.count where all.count < Self.largestCount && state.isUsed[index]
        {
            all[state.kept.key(at: index)] = state.kept.content(at: index)
        }
        let there = DigestFile(name, in: directory)
        let room = Self.largestCount - all.count
        let others = (0..<there.count).lazy.filter { all[there.key(at: $0)] == nil }
        // All or none: what is left of a directory that is half known is read as a whole, and remembered again.
        if others.count <= room {
            for index in Array(others) { all[there.key(at: index)] = there.content(at: index) }
        }
        return all
    }
}
