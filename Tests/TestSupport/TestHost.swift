import Glibc
import Linux

/// What this host gives a test, for `.enabled(if:)`. With REQUIRE_SANDBOX=1 in the environment nothing is skipped: what is
/// missing then fails the test.
public enum TestHost {
    private static let isRequired = getenv("REQUIRE_SANDBOX") != nil

    /// An ordinary user with subordinate ids, who may make user namespaces.
    public static let allowsSandboxes: Bool = isRequired || canSandbox

    private static let canSandbox: Bool = {
        let user = InvokingUser.current
        if user.uid == 0 || user.subordinateUIDs().isEmpty || user.subordinateGIDs().isEmpty {
            return false
        }
        let map = ["unshare", "--map-root-user", "--map-auto", "true"]
        return (try? Command(map).run().isSuccess) == true && has(["docker-registry"])
            && has(["busybox", "umoci", "skopeo", "python3", "gcc", "patchelf"])
    }()

    /// Whether a network of its own can be made for a RUN. A device that isn't there, or is root's alone, is no fault of the tests'.
    public static let allowsPrivateNetworks: Bool =
        allowsSandboxes && tunnelDeviceProblem() == nil && has(["pasta", "slirp4netns", "ip"])

    /// Whether all these programs are installed.
    public static func has(_ programs: [String]) -> Bool {
        isRequired || programs.allSatisfy { find($0) != nil }
    }

    /// Where a program is.
    public static func find(_ program: String) -> String? {
        ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"].map { $0 + program }.first {
            access($0, X_OK) == 0
        }
    }

    /// The checkout that this was compiled from.
    public static let sources: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// A file of Tests/Fixtures.
    public static func fixture(_ name: String) -> String { sources + "/Tests/Fixtures/" + name }

    /// Whether what is tested was built for speed, so that times mean something.
    public static var isReleaseBuild: Bool {
        LichenProgram.binary.contains("/release/")
    }

    /// Removes a directory that may hold files of subordinate ids: in a namespace where they are this user's.
    public static func remove(_ path: String) {
        let map = getuid() == 0 ? [] : ["unshare", "--map-root-user", "--map-auto"]
        // What stays is seen by whoever looks into the temporary directory; it fails no test.
        _ = try? Command(map + ["rm", "-rf", "--one-file-system", path]).run()
    }
}
