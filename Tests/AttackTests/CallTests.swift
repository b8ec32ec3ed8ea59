import Attack
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: system calls` {
    @Test func `K01 K08 calls that open attack surface are refused, unknown ones don't exist`()
        throws
    {
        try attack("K01") { scene in
            try scene.expectHeld(.calls)
        }
    }

    @Test func `K01 they are refused to a user other than root, too`() throws {
        try attack("K01-user") { scene in
            try scene.expectHeld(.calls, before: "USER work")
        }
    }

    @Test func `K02 no call of the mount family works`() throws {
        try attack("K02") { scene in
            try scene.expectHeld(.mounts)
            // In namespaces of its own, without the policy, the same program mounts.
            let bare = try Command([
                "unshare", "--map-root-user", "--mount", AttackProgram.directory() + "/attack",
                "mounts",
            ]).run().required()
            #expect(Expectation.answers(in: bare.text)["mount-bind"] == "ok")
        }
    }

    @Test func `K03 no other machine's calls are let through`() throws {
        try attack("K03") { scene in
            try scene.expectHeld(.foreign)
        }
    }

    @Test func `K04 S10 no namespace is made or entered`() throws {
        try attack("S10") { scene in
            try scene.expectHeld(.namespaces)
            let twin = try scene.answers("attack thread")
            #expect(twin == ["thread": "ok"], "threads work")
            // On a host that lets users make namespaces, they can.
            #expect(try AttackProgram.outside(["namespaces"])["unshare-user"] == "ok")
        }
    }

    @Test func `K05 personalities are those that change nothing for the kernel's defences`() throws
    {
        try attack("K05") { scene in
            try scene.expectHeld(.personality)
        }
    }

    @Test func `K06 a filter of its own does not widen ours`() throws {
        try attack("K06") { scene in
            try scene.expectHeld(.filters)
        }
    }

    @Test func `K07 prctl takes nothing back`() throws {
        try attack("K07") { scene in
            try scene.expectHeld(.prctl)
        }
    }

    @Test func `K09 requests of devices find no device`() throws {
        try attack("K09") { scene in
            try scene.expectHeld(.ioctl)
        }
    }
}
