import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `A call of a RUN` {
    /// Proves that what opens kernel attack surface, leaves the namespaces or changes mounts is refused, whether it is asked for
    /// plainly, with high bits that the kernel drops, or by another calling convention.
    @Test func `is refused where the policy says so`() throws {
        let values = try seen(inside: "probe calls").values
        // clone3: so that libc takes clone. Killed: a call by another architecture's door.
        let differently = [
            "clone3": "ENOSYS", "unknown": "ENOSYS", "x32": "ENOSYS", "i386": "signal \(SIGSYS)",
        ]
        #expect(values.count > 45)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            #expect(value == differently[name] ?? "EPERM", "\(name)")
        }
    }

    /// Proves the same for a user other than root, whose filter is installed at another moment.
    @Test func `is refused to another user as well`() throws {
        let asRoot = try seen(inside: "probe calls").values
        let asUser = try seen(inside: "probe calls", before: "USER work").values
        #expect(asUser == asRoot)
    }

    /// Proves that the refusals above are not simply everything: what builds need works.
    @Test func `is allowed where builds need it`() throws {
        let values = try seen(inside: "probe allowed").values
        #expect(values.count == 12)
        for (name, value) in values { #expect(value == "ok", "\(name)") }
    }

    /// Proves that no device of the host can be reached by making its node; pipes can be made.
    @Test func `makes no device node`() throws {
        let values = try seen(inside: "mkdir /n; probe nodes /n").values
        #expect(
            values == [
                "fifo": "ok", "socket": "ok", "null": "EPERM", "mem": "EPERM", "disk": "EPERM",
                "fuse": "EPERM",
            ])
    }
}
