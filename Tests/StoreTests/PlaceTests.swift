import Glibc
import Linux
import Testing

@testable import Store

@Suite struct `The place of a store` {
    /// A directory above it.
    private func directory(
        _ mode: UInt32, uid: UInt32 = 0, gid: UInt32 = 0
    ) -> FileStatus {
        var status = FileStatus(
            fileOf: 0, permissions: mode, modified: FileTime(seconds: 0))
        status.kind = .directory
        (status.uid, status.gid) = (uid, gid)
        return status
    }

    private func isRefused(
        _ directory: FileStatus, isTop: Bool = false, isInContainer: Bool = false
    ) -> Bool {
        let place = StorePlace(isInContainer: isInContainer)
        return place.objection(to: directory, isTop: isTop) != nil
    }

    @Test func `is below directories of this user's or root's, closed to others`() {
        #expect(!isRefused(directory(0o755)))
        #expect(!isRefused(directory(0o755, uid: geteuid())))
        #expect(!isRefused(directory(0o711, uid: geteuid())))
        #expect(isRefused(directory(0o755, uid: 4242)))
        #expect(isRefused(directory(0o777)))
        #expect(isRefused(directory(0o757, uid: geteuid())))
    }

    @Test func `may be below a sticky directory`() {
        #expect(!isRefused(directory(0o1777)))
        #expect(!isRefused(directory(0o1777, uid: geteuid())))
        #expect(isRefused(directory(0o1777, uid: 4242)))
    }

    @Test func `may be below a directory for a group that is root's or the user's alone`() {
        #expect(!isRefused(directory(0o2775, gid: 0)))
        #expect(isRefused(directory(0o2775, gid: 4242)))
        #expect(!isRefused(directory(0o755, gid: 4242)))
        let user = InvokingUser.current
        #expect(!user.isAlone(inGroup: 4242))
        if user.isAlone(inGroup: user.gid) {
            #expect(!isRefused(directory(0o775, uid: user.uid, gid: user.gid)))
        }
    }

    @Test func `in a container may be below what its runtime made`() {
        #expect(!isRefused(directory(0o777), isInContainer: true))
        #expect(!isRefused(directory(0o777, uid: 65534), isInContainer: true))
        #expect(isRefused(directory(0o777, uid: geteuid()), isInContainer: geteuid() != 0))
        #expect(isRefused(directory(0o755, uid: 4242), isInContainer: true))
    }

    @Test func `may have a top that is nobody's or anybody's`() {
        #expect(!isRefused(directory(0o755, uid: 65534), isTop: true))
        #expect(!isRefused(directory(0o755, uid: 4242), isTop: true))
        #expect(isRefused(directory(0o777, uid: 4242), isTop: true))
    }

    /// What the rule is for, with real directories.
    @Test func `is looked at up to the root`() throws {
        let scratch = Scratch()
        let open = scratch.path + "/open"
        #expect(
            mkdir(open, 0o700) == 0 && chmod(open, 0o777) == 0 && mkdir(open + "/a", 0o700) == 0)
        #expect(throws: StoreError.self) { try Store(path: open + "/a/store") }
        #expect(chmod(open, 0o755) == 0)
        _ = try Store(path: open + "/a/store")
    }
}
