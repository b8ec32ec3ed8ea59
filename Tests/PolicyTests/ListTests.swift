import Policy
import SystemPackage
import Testing

@Suite struct `A set of capabilities` {
    @Test func `has the kernel's numbers`() {
        let numbers: [(String, Int)] = [
            ("CHOWN", 0), ("SETPCAP", 8), ("NET_ADMIN", 12), ("SYS_CHROOT", 18), ("SYS_ADMIN", 21),
            ("AUDIT_WRITE", 29), ("SETFCAP", 31), ("SYSLOG", 34), ("BPF", 39),
            ("CHECKPOINT_RESTORE", 40),
        ]
        for (name, number) in numbers {
            #expect(CapabilitySet(named: name)?.rawValue == 1 << UInt64(number))
        }
        #expect(CapabilitySet.all.rawValue == 0x1FF_FFFF_FFFF)
    }

    @Test func `takes names with and without CAP_, in any case`() {
        for name in ["CAP_NET_RAW", "NET_RAW", "net_raw", "cap_net_raw"] {
            #expect(CapabilitySet(named: name)?.names == ["CAP_NET_RAW"])
        }
        #expect(CapabilitySet(named: "ALL") == nil)
        #expect(CapabilitySet(named: "") == nil)
        #expect(CapabilitySet(rawValue: 1 << 60).names == ["CAP_60"])
    }

    @Test(arguments: [
        ("{}", "list.json: capabilities: is missing"),
        ("{\"capabilities\": [\"CAP_X\"]}", "list.json: capabilities[0]: unknown capability CAP_X"),
        (
            "{\"capabilities\": [\"KILL\", \"CAP_KILL\"]}",
            "list.json: capabilities[1]: CAP_KILL is given twice"
        ),
        ("{\"capabilities\": [], \"ambient\": []}", "list.json:1: unknown field ambient"),
    ])
    func `is refused where its list is wrong`(text: String, message: String) {
        let error = #expect(throws: PolicyError.self) {
            _ = try CapabilitySet(parsing: Array(text.utf8), named: "list.json")
        }
        #expect(error?.description == message)
    }
}

@Suite struct `Protected paths` {
    @Test func `are read in order`() throws {
        let text = """
            {"masked": [{"path": "/proc/kcore", "comment": "why"}, {"path": "/sys/firmware"}],
             "readOnly": [{"path": "/proc/sys"}]}
            """
        let paths = try ProtectedPaths(parsing: Array(text.utf8), named: "paths.json")
        #expect(
            paths
                == ProtectedPaths(
                    masked: ["/proc/kcore", "/sys/firmware"], readOnly: ["/proc/sys"]))
    }

    @Test(arguments: [
        "", "/", "proc/kcore", "/proc/../etc", "/proc/./kcore", "/proc//kcore", "/proc/",
        "/p\\u0000x",
    ])
    func `are absolute and plain`(path: String) {
        let text = "{\"masked\": [{\"path\": \"\(path)\"}]}"
        let error = #expect(throws: PolicyError.self) {
            _ = try ProtectedPaths(parsing: Array(text.utf8), named: "paths.json")
        }
        #expect(error?.problem == .wrongType(expected: "an absolute path without . and .."))
    }

    @Test(arguments: [
        "{\"masked\": [{\"path\": \"/a\"}, {\"path\": \"/a\"}]}",
        "{\"masked\": [{\"path\": \"/a\"}], \"readOnly\": [{\"path\": \"/a\"}]}",
        "{\"masked\": [\"/a\"]}", "{\"masked\": [{\"comment\": \"x\"}]}",
        "{\"masked\": [{\"path\": \"/a\", \"mode\": 0}]}", "{\"hidden\": []}",
    ])
    func `are refused where their list is wrong`(text: String) {
        #expect(throws: PolicyError.self) {
            _ = try ProtectedPaths(parsing: Array(text.utf8), named: "paths.json")
        }
    }
}

@Suite struct `A kernel version` {
    @Test(arguments: [
        ("6.1.0-13-amd64", 6, 1), ("4.8", 4, 8), ("5.15.0", 5, 15), ("6.18-rc1", 6, 18),
        ("3.10.0-1160.el7", 3, 10),
    ])
    func `is the front of a release`(release: String, major: Int, minor: Int) {
        #expect(KernelVersion(release: release) == KernelVersion(major, minor))
    }

    @Test(arguments: ["", "6", "6.", ".1", "six.one", "-6.1"])
    func `isn't anything else`(release: String) {
        #expect(KernelVersion(release: release) == nil)
    }

    @Test func `is ordered by number`() throws {
        #expect(KernelVersion(4, 8) < KernelVersion(4, 18))
        #expect(KernelVersion(4, 18) < KernelVersion(5, 0))
        #expect(try #require(KernelVersion.running) > KernelVersion(4, 0))
    }
}
