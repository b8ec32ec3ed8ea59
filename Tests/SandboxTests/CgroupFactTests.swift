import Testing

@testable import Sandbox

@Suite struct `The kernel's words about cgroups` {
    @Test(arguments: [
        (
            "0::/user.slice/user-1000.slice/session-3.scope\n",
            "/user.slice/user-1000.slice/session-3.scope"
        ),
        ("9:name=systemd:/a\n4:memory:/b\n0::/c d\n", "/c d"),
        ("0::/\n", "/"),
        ("4:memory:/b\n", nil),
        ("", nil),
        ("0::/../x\n", nil),
        ("0::/gone (deleted)\n", nil),
        ("10::/x\n", nil),
    ])
    func `say where a process is`(text: String, path: String?) {
        #expect(CgroupFacts.path(in: text) == path)
    }

    private static let hybrid = """
        25 30 0:23 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
        26 25 0:24 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
        27 25 0:25 / /sys/fs/cgroup/memory rw shared:11 - cgroup cgroup rw,memory
        """

    @Test func `say where they are mounted`() throws {
        let mount = try #require(CgroupFacts.mount(in: Self.hybrid))
        #expect(mount.place == "/sys/fs/cgroup/unified" && mount.root == "/")
        // No tags, a part of the tree, and a blank in the place.
        let part = try #require(
            CgroupFacts.mount(in: "1 2 0:3 /kube/pod\\0407 /sys/fs\\040x rw - cgroup2 c rw"))
        #expect(part.place == "/sys/fs x" && part.root == "/kube/pod 7")
        #expect(CgroupFacts.mount(in: "1 2 0:3 / /x rw - cgroup cgroup2 rw") == nil)
        #expect(CgroupFacts.mount(in: "nonsense\n1 - cgroup2 x\n") == nil)
    }

    @Test func `lead to a directory`() {
        let whole = (place: "/sys/fs/cgroup", root: "/"), part = (place: "/c", root: "/kube/pod")
        #expect(CgroupFacts.directory(of: "/", on: whole) == "/sys/fs/cgroup")
        #expect(CgroupFacts.directory(of: "/a/b", on: whole) == "/sys/fs/cgroup/a/b")
        #expect(CgroupFacts.directory(of: "/kube/pod", on: part) == "/c")
        #expect(CgroupFacts.directory(of: "/kube/pod/x", on: part) == "/c/x")
        #expect(CgroupFacts.directory(of: "/kube/podium", on: part) == nil)
        #expect(CgroupFacts.directory(of: "/", on: part) == nil)
    }

    @Test func `count events`() {
        let text = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n"
        #expect(CgroupFacts.count(of: "oom_kill", in: text) == 2)
        #expect(CgroupFacts.count(of: "max", in: text) == 12)
        #expect(CgroupFacts.count(of: "kill", in: text) == 0)
    }

    @Test func `take a share of a processor`() {
        #expect(CgroupFacts.processorQuota(thousandths: 1500) == "150000 100000")
        // The kernel takes no less than a millisecond.
        #expect(CgroupFacts.processorQuota(thousandths: 1) == "1000 100000")
    }

    @Test func `leave memory and disk to others`() {
        #expect(LimitDefaults.memory(of: 64 << 30) == 61_847_529_063)
        #expect(LimitDefaults.memory(of: 1 << 30) == 768 << 20)
        #expect(LimitDefaults.memory(of: 256 << 20) == 128 << 20)
        #expect(LimitDefaults.diskReserve(of: 1 << 40) == 256 << 20)
        #expect(LimitDefaults.diskReserve(of: 5000) == 100)
    }
}
