import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: system calls` {
    /// EPERM says no; ENOSYS says that there is no such call, so that a library takes another.
    private static let refusals: Set = ["EPERM", "ENOSYS"]

    @Test func `K01 K08 calls that open attack surface are refused, unknown ones don't exist`()
        throws
    {
        try attack("K01") { scene in
            let inside = try scene.answers("attack calls")
            #expect(inside.count > 45)
            for (name, value) in inside {
                if name.hasPrefix("unknown") {
                    #expect(value == "ENOSYS", "\(name)")
                } else {
                    #expect(Self.refusals.contains(value), "\(name) \(value)")
                }
            }
            // Without the sandbox many of them get as far as the kernel's own checks, so the table above can fail.
            let outside = try AttackProgram.outside(["calls"])
            #expect(outside.values.count { !Self.refusals.contains($0) } > 15)
        }
    }

    @Test func `K01 they are refused to a user other than root, too`() throws {
        try attack("K01-user") { scene in
            let inside = try scene.answers("attack calls", before: "USER work")
            #expect(inside.count > 45)
            for (name, value) in inside {
                #expect(Self.refusals.contains(value), "\(name) \(value)")
            }
        }
    }

    @Test func `K02 no call of the mount family works`() throws {
        try attack("K02") { scene in
            let inside = try scene.answers("attack mounts")
            #expect(inside.count == 14)
            // policies/default.json lets these two read: they tell of the sandbox's own mounts.
            let readers: Set = ["statmount", "listmount"]
            for (name, value) in inside where !readers.contains(name) {
                #expect(Self.refusals.contains(value), "\(name) \(value)")
            }
            // In namespaces of its own, without the policy, the same program mounts.
            let bare = try Command([
                "unshare", "--map-root-user", "--mount", AttackProgram.directory() + "/attack",
                "mounts",
            ]).run().required()
            #expect(AttackProgram.answers(in: bare.text)["mount-bind"] == "ok")
        }
    }

    @Test func `K03 no other machine's calls are let through`() throws {
        try attack("K03") { scene in
            let inside = try scene.answers("attack foreign")
            for (name, value) in inside {
                #expect(
                    value == (name.hasPrefix("i386") ? "signal \(SIGSYS)" : "ENOSYS"), "\(name)")
            }
            #if arch(x86_64)
                #expect(inside.count == 22)
                #expect(try AttackProgram.outside(["foreign"])["i386-20"] == "ok")
            #endif
        }
    }

    @Test func `K04 S10 no namespace is made or entered`() throws {
        try attack("S10") { scene in
            let inside = try scene.answers("attack namespaces; attack thread")
            #expect(inside["thread"] == "ok", "the twin: threads work")
            #expect(inside.count > 35)
            for (name, value) in inside where name != "thread" {
                if name.hasPrefix("clone3") {
                    #expect(value == "ENOSYS", "\(name)")
                } else {
                    #expect(["EPERM", "EACCES"].contains(value), "\(name) \(value)")
                }
            }
            // On a host that lets users make namespaces, they can.
            #expect(try AttackProgram.outside(["namespaces"])["unshare-user"] == "ok")
        }
    }

    @Test func `K05 personalities are those that change nothing for the kernel's defences`() throws
    {
        try attack("K05") { scene in
            let inside = try scene.answers("attack personality")
            #expect(
                inside == [
                    "linux": "ok", "query": "ok", "linux32": "ok", "no-randomize": "ok",
                    "read-implies-exec": "EPERM", "mmap-page-zero": "EPERM", "bsd": "EPERM",
                ])
        }
    }

    @Test func `K06 a filter of its own does not widen ours`() throws {
        try attack("K06") { scene in
            let inside = try scene.answers("attack filters")
            #expect(inside["allow"] == "ok")
            #expect(inside["log"] == "ok")
            #expect(inside["tsync"] == "ok")
            #expect(["ok", "EBUSY", "EPERM"].contains(inside["listener"]))
            #expect(inside["mount-after"] == "EPERM")
            #expect(inside["mode"] == "2")
        }
    }

    @Test func `K07 prctl takes nothing back`() throws {
        try attack("K07") { scene in
            let inside = try scene.answers("attack prctl")
            #expect(inside["no-new-privs-off"] == "EINVAL")
            #expect(inside["ambient"] == "EPERM")
            // CAP_SETPCAP is in Docker's set: the bits go no further than the capabilities.
            #expect(["ok", "EPERM"].contains(inside["securebits"]))
            #expect(inside["core"] == "EPERM")
            for name in ["no-new-privs", "subreaper", "death-signal", "dumpable", "drop"] {
                #expect(inside[name] == "ok", "\(name): programs need it")
            }
        }
    }

    @Test func `K09 requests of devices find no device`() throws {
        try attack("K09") { scene in
            let inside = try scene.answers("attack ioctl")
            for name in ["kvm", "tun", "fuse"] { #expect(inside[name] == "ENOENT", "\(name)") }
            #expect(inside["immutable"] == "EPERM")
            #expect(inside["sti-high"] == "EPERM")
            #expect(inside["blkrrpart"] == "ENOTTY")
        }
    }
}
