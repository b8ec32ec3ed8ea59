import Glibc
import Testing

/// What runs between clone and execve may only call what is safe there: no allocation, no locks, no stdio.
@Suite struct `The child's C code` {
    /// System calls and their thin wrappers; memory functions that touch nothing but their arguments.
    private static let allowed: Set = [
        "__errno_location", "memcpy", "memset", "strlen", "_exit",
        "chdir", "close", "dup3", "execve", "fchdir", "fcntl", "fstat", "ioctl", "mount", "open",
        "openat", "poll", "prctl", "read", "sethostname", "setsid", "socket", "syscall", "umask",
        "umount2", "wait4", "write",
    ]

    /// Of our own: defined in the child's files themselves, or in mount.c, which is looked at as well.
    private static let ownPrefix = "sbx_"

    private static let folder = SourceTree.root + "/.build/debug/CShims.build"
    private static let objects = [
        "child_common", "child_guard", "child_routes", "child_step", "child_worker", "mount",
    ]

    static var isBuilt: Bool { access(folder + "/child_common.c.o", R_OK) == 0 }

    @Test(
        .enabled(if: isBuilt, "there are no objects in .build/debug"),
        arguments: objects)
    func `calls only what is safe after a clone`(object: String) throws {
        let called = try symbols("-u", object)
        let foreign = called.filter { !$0.hasPrefix(Self.ownPrefix) }
        #expect(Set(foreign).subtracting(Self.allowed).isEmpty, "\(foreign)")
    }

    @Test(.enabled(if: isBuilt, "there are no objects in .build/debug"))
    func `calls nothing of ours that is not looked at`() throws {
        let defined = try Set(Self.objects.flatMap { try symbols("--defined-only", $0) })
        let called = try Self.objects.flatMap { try symbols("-u", $0) }
        let ours = Set(called.filter { $0.hasPrefix(Self.ownPrefix) })
        #expect(ours.subtracting(defined).isEmpty)
        #expect(!ours.isEmpty)
    }

    /// The last word of each line of nm(1).
    private func symbols(_ option: String, _ object: String) throws -> [String] {
        let text = try #require(
            SourceTree.output(of: "nm \(option) '\(Self.folder)/\(object).c.o'"))
        return text.split(separator: "\n").compactMap { $0.split(separator: " ").last }
            .map { String($0.prefix { $0 != "@" }) }
    }
}
