import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The owners of files, supervised,` {
    private let steps: SupervisedSteps

    init() throws { steps = try SupervisedSteps() }

    /// What differs for a RUN from a file that has no records at all.
    private static let changed = [
        "get": "ENODATA", "get:device": "ENODATA", "get:size": "ENODATA", "lget": "ENODATA",
        "fget": "ENODATA", "set": "EPERM", "lset": "EPERM", "fset": "EPERM", "remove": "ENODATA",
        "lremove": "ENODATA", "fremove": "ENODATA", "getxattrat": "ENOSYS",
        "listxattrat": "ENOSYS", "size": "11", "list": "user.plain 11",
        "list:exact": "user.plain 11", "list:link": "user.plain 11", "flist": "user.plain 11",
        "list:/proc/self/fd/%d": "user.plain 11", "list:/proc/thread-self/fd/%d": "user.plain 11",
        "list:/dev/fd/%d": "user.plain 11", "list:../proc/self/fd/%d": "user.plain 11",
        "list:/proc/self/../self/task/../fd/%d": "user.plain 11", "list:self-cwd": "user.plain 11",
    ]

    /// Proves that records are neither seen nor changed, by no call and no way to the file, and that nothing else differs from
    /// what the kernel does without us.
    @Test func `have records that no RUN sees`() throws {
        let plain = try steps.run([], ["probe", "records", "/data"])
        let hidden = try steps.run(["--hide"], ["probe", "records", "/data"])
        #expect(plain["get"] == "ok", "the test's own control")
        #expect(plain.lines.count == hidden.lines.count)
        for (before, after) in zip(plain.lines, hidden.lines) {
            let name = String(before.prefix { $0 != " " })
            #expect(after == Self.changed[name].map { "\(name) \($0)" } ?? before)
        }
        #expect(try hidden.attributes(of: "/data/file") == SupervisedSteps.attributes.sorted())
        // No attribute of a closed directory's files, and no chown, for another user.
        #expect(hidden["list:closed"] == "EACCES")
        #expect(hidden["chown:not-ours"] == "EPERM")
    }

    /// Proves that chown in all its forms does what the kernel does, and ends the record.
    @Test func `change as they would without a supervisor`() throws {
        let plain = try steps.run([], ["probe", "owner", "/data/file"])
        let hidden = try steps.run(["--hide", "--ids"], ["probe", "owner", "/data/file"])
        #expect(hidden.lines == plain.lines)
        #expect(plain["chown"] == "1:2")
        #expect(try plain.attributes(of: "/data/file") == SupervisedSteps.attributes.sorted())
        #expect(try hidden.attributes(of: "/data/file") == ["user.plain"])
    }

    /// Proves that the supervisor, which has more rights, follows no path that the caller could not: process 1 is a copy of the
    /// worker, its program a file of the host.
    @Test func `are not changed by way of process 1`() throws {
        for options in [["--hide"], ["--hide", "--capability", "CAP_SYS_PTRACE"]] {
            let plain = try steps.run(
                Array(options.dropFirst()), ["probe", "owner", "/data/file"])
            let hidden = try steps.run(options, ["probe", "owner", "/data/file"])
            for seen in [plain, hidden] {
                #expect(seen["chown:init-program"] == "EACCES")
                #expect(seen["chown:init-directory"] == "EACCES")
            }
        }
    }

    @Test(arguments: ["0:0", "0", ":0"])
    func `are on record no more after a chown`(owner: String) throws {
        let words = ["busybox", "chown", owner, "/data/file"]
        #expect(
            try steps.run(["--hide"], words).attributes(of: "/data/file") == ["user.plain"])
    }

    @Test func `stay on record through a chown that changes nothing`() throws {
        let seen = try steps.run(
            ["--hide"], ["sh", "-c", "echo more >> /data/file; chmod 600 /data/file"])
        #expect(try seen.attributes(of: "/data/file") == SupervisedSteps.attributes.sorted())
    }

    /// Proves which ids were missing, and that the calls were refused as the kernel refuses them.
    @Test func `that the map lacks are named`() throws {
        let seen = try steps.run(["--ids"], ["probe", "owner", "/data/file"])
        #expect(
            seen.results("missing") == [
                "chown(\"/data/file\",3000000000,0) [3000000000] [] 1 /bin/probe",
                "lchown(\"/data/file\",0,3000000001) [] [3000000001] 1 /bin/probe",
                "fchown(3,3000000000,0) [3000000000] [] 1 /bin/probe",
                "setuid(3000000000) [3000000000] [] 1 /bin/probe",
                "setresgid(-1,3000000001,-1) [] [3000000001] 1 /bin/probe",
                "setgroups(3,address) [] [3000000001] 1 /bin/probe",
            ])
        for call in ["chown", "lchown", "fchown", "setuid", "setresgid", "setgroups"] {
            #expect(seen["\(call):unmapped"] == "EINVAL")
        }
    }

    /// Proves that a step runs where only one id is mapped and setgroups(2) is denied, and that the ids it lacks are named.
    @Test func `are few with a single id`() throws {
        let single = try SupervisedSteps(singleID: true)
        let script = """
            id -u; touch /new; chown 5:6 /new; chown 0:0 /new && stat -c %u:%g /new; cat /proc/self/setgroups
            """
        let seen = try single.run(["--ids", "--hide"], ["sh", "-c", script])
        #expect(seen.lines == ["0", "0:0", "deny"])
        #expect(
            seen.results("missing") == ["chown(\"/new\",5,6) [5] [6] 1 /bin/busybox"])
        let groups = try single.run(["--ids"], ["probe", "owner", "/data/file"])
        #expect(groups["setgroups:unmapped"] == "EPERM")
    }
}
