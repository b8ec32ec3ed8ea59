import Defences
import Glibc
import Linux
import SystemPackage

/// Where a store may lie: whoever can rename a directory above it can put another in its place.
///
/// Each directory above has to belong to this user or to root, and to be closed to the writing of others, or sticky as /tmp is.
/// Three kinds of place are taken although they look open: a directory for a group in which the user is alone; one of an owner
/// without an id in this user namespace, who is nobody in here; and in a container a directory of root's, since whoever may write
/// to it is in the container, too, and runtimes make their volumes so.
struct StorePlace {
    private let user = InvokingUser.current
    private let isInContainer: Bool

    /// What the kernel shows for ids that a user namespace does not map.
    private static let overflowID: UInt32 = 65534

    init(isInContainer: Bool = StorePlace.detectsContainer) { self.isInContainer = isInContainer }

    static var detectsContainer: Bool {
        getenv("KUBERNETES_SERVICE_HOST") != nil
            || access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0
    }

    /// Throws unless `store`, which is called `path`, is this user's alone and can't be replaced by others.
    func check(_ store: FileDescriptor, _ path: String) throws(StoreError) {
        let status = try StoreError.during("look at \(path)") { () throws(Errno) in
            try store.status()
        }
        if status.uid != user.uid {
            throw StoreError(
                .notPrivate("\(path) belongs to uid \(status.uid)"),
                hint: "choose another with --root")
        }
        if status.permissions & 0o077 != 0, !Defence.storeMode.isLeftOut {
            throw StoreError(
                .notPrivate("\(path) is open to others (\(Self.mode(status)))"),
                hint: "chmod 700 \(path)")
        }
        try checkDirectories(above: store, status, path)
    }

    private func checkDirectories(
        above store: FileDescriptor, _ status: FileStatus, _ path: String
    ) throws(StoreError) {
        var below = status
        var current: SharedDescriptor?
        for level in 1... {
            let inner = current?.borrowed ?? store
            // One that may not be entered is not for us to judge; nobody else's path leads through it either.
            guard
                let opened = try? inner.open("..", [.pathOnly, .directory], resolve: .system)
            else { return }
            let directory = SharedDescriptor(opened)
            let status = try StoreError.during("look at what is above \(path)") {
                () throws(Errno) in
                try directory.borrowed.status()
            }
            if status.isSameFile(as: below) { return }
            if let reason = objection(to: status, isTop: isTop(directory.borrowed, status)) {
                let place = Self.name(of: directory.borrowed) ?? "the directory \(level) above it"
                throw StoreError(
                    .notPrivate("\(path) can be replaced by others: \(place) \(reason)"),
                    hint: "chmod go-w \(place), or choose another store with --root")
            }
            (below, current) = (status, directory)
        }
    }

    private func isTop(_ directory: FileDescriptor, _ status: FileStatus) -> Bool {
        guard
            let above = try? directory.open("..", [.pathOnly, .directory], resolve: .system)
        else { return false }
        return (try? above.borrowed.status().isSameFile(as: status)) ?? false
    }

    /// What is wrong with a directory above a store, in words that go on after its name.
    func objection(to status: FileStatus, isTop: Bool) -> String? {
        let isTrusted = [0, user.uid, Self.overflowID].contains(status.uid)
        // Who has the root of all has everything; in containers it may be anybody's.
        if !isTrusted, !isTop { return "belongs to uid \(status.uid)" }
        let isSticky = status.permissions & 0o1000 != 0
        if isSticky || isInContainer && [0, Self.overflowID].contains(status.uid) { return nil }
        if status.permissions & 0o002 != 0 { return "may be changed by all (\(Self.mode(status)))" }
        if status.permissions & 0o020 != 0, status.gid != 0, !user.isAlone(inGroup: status.gid) {
            return "may be changed by the group \(status.gid) (\(Self.mode(status)))"
        }
        return nil
    }

    private static func mode(_ status: FileStatus) -> String {
        "mode \(String(status.permissions, radix: 8))"
    }

    private static func name(of directory: FileDescriptor) -> String? {
        (try? FileDescriptor.workingDirectory.readLink("/proc/self/fd/\(directory.rawValue)".utf8))
            .map { printable($0) }
    }
}
