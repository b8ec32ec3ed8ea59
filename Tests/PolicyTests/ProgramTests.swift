import Policy
import Testing

@Suite struct `A program` {
    @Test func `asks conditions before it takes a rule without any`() throws {
        let program = try program(
            rule("socket") + "," + rule("socket", action: "ERRNO", args: condition(0, "EQ", 40)))
        #expect(try program.returns(call("socket", 40)) == Returned.eperm)
        #expect(try program.returns(call("socket", 0x1_0000_0028)) == Returned.eperm)
        #expect(try program.returns(call("socket", 2)) == Returned.allow)
    }

    @Test func `takes the first rule whose conditions are true`() throws {
        let exception = condition(0, "EQ", 16) + "," + condition(2, "EQ", 9)
        let program = try program(
            rule("socket", args: exception) + ","
                + rule(
                    "socket", action: "ERRNO", args: condition(0, "EQ", 16),
                    more: "\"errnoRet\": 97")
                + "," + rule("socket", args: condition(0, "LT", 38)))
        #expect(try program.returns(call("socket", 16, 3, 9)) == Returned.allow)
        #expect(try program.returns(call("socket", 16, 3, 0)) == Returned.errno(97))
        #expect(try program.returns(call("socket", 2, 1, 9)) == Returned.allow)
        #expect(try program.returns(call("socket", 40, 1, 9)) == Returned.eperm)
    }

    @Test func `holds all conditions of a rule on one argument`() throws {
        let both = condition(0, "NE", 38) + "," + condition(0, "NE", 40)
        let program = try program(rule("socket", args: both))
        for (family, expected) in [(2, Returned.allow), (38, Returned.eperm), (40, Returned.eperm)]
        {
            #expect(try program.returns(call("socket", UInt64(family))) == expected)
        }
        let range = condition(0, "GE", 4) + "," + condition(0, "LE", 6)
        let between = try Self.make(rule("socket", args: range))
        #expect(
            try (0...9).filter { try between.returns(call("socket", $0)) == Returned.allow } == [
                4, 5, 6,
            ])
    }

    private static func make(_ rules: String, watching: Set<String> = []) throws -> SeccompProgram {
        try program(rules, watching: watching)
    }

    @Test func `lets the first of two plain rules decide, and names the other`() throws {
        let program = try program(rule("setns") + "," + rule("setns", action: "ERRNO"))
        #expect(try program.returns(call("setns")) == Returned.allow)
        #expect(program.shadowed.map(\.place.rule) == [1])
    }

    @Test func `compares longs with all their bits`() throws {
        let big: UInt64 = 0x12_3456_789A
        let program = try program(rule("unshare", args: condition(0, "GT", big)))
        #expect(try program.returns(call("unshare", big)) == Returned.eperm)
        #expect(try program.returns(call("unshare", big + 1)) == Returned.allow)
        #expect(try program.returns(call("unshare", 0x13_0000_0000)) == Returned.allow)
        #expect(try program.returns(call("unshare", 0xFFFF_FFFF)) == Returned.eperm)
    }

    @Test func `compares a file mode with sixteen bits`() throws {
        let program = try program(
            rule("mknod", action: "ERRNO", args: condition(1, "EQ", 0x61A4)) + "," + rule("mknod"))
        #expect(try program.returns(call("mknod", 0, 0x61A4)) == Returned.eperm)
        #expect(try program.returns(call("mknod", 0, 0x5_61A4)) == Returned.eperm)
        #expect(try program.returns(call("mknod", 0, 0x21A4)) == Returned.allow)
    }

    @Test func `takes a negative int as either width writes it`() throws {
        for value in [0xFFFF_FF9C, 0xFFFF_FFFF_FFFF_FF9C] as [UInt64] {
            let program = try program(rule("openat", args: condition(0, "EQ", value)))
            #expect(try program.returns(call("openat", 0xFFFF_FF9C)) == Returned.allow)
            #expect(try program.returns(call("openat", 0xFFFF_FFFF_FFFF_FF9C)) == Returned.allow)
            #expect(try program.returns(call("openat", 3)) == Returned.eperm)
        }
    }

    @Test func `ends i386 calls with the process`() throws {
        let program = try program(rule("read"))
        var call = call("read")
        call.architecture = 0x4000_0003
        #expect(try program.returns(call) == Returned.killProcess)
        #expect(program.verdict(on: call).reason == .foreignABI)
        call.architecture = Architecture.aarch64.auditNumber
        #expect(try program.returns(call) == Returned.killProcess)
    }

    @Test func `knows no x32 calls, even where everything is allowed`() throws {
        let profile = try profile("", defaultAction: "\"SCMP_ACT_ALLOW\"")
        let program = try SeccompProgram(profile, for: target())
        var call = call("read")
        #expect(try program.returns(call) == Returned.allow)
        for number in [0x4000_0000, 0x4000_0208, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE] as [UInt32]
        {
            call.number = number
            #expect(try program.returns(call) == Returned.enosys)
        }
        // The number -1 executes nothing: a tracer has answered already.
        call.number = .max
        #expect(try program.returns(call) == Returned.allow)
    }

    @Test func `answers unknown numbers with ENOSYS`() throws {
        for denials in [SeccompProgram.Denials.errno, .notify] {
            let program = try program(rule("read"), denials: denials)
            var call = call("read")
            for number in [400, 471, 512, 547, 1000, 0x3FFF_FFFF] as [UInt32] {
                call.number = number
                #expect(try program.returns(call) == Returned.enosys)
                #expect(program.verdict(on: call).reason == .unknownCall)
            }
        }
    }

    @Test func `notifies of EPERM and of nothing else`() throws {
        let program = try program(
            rule("read") + "," + rule("write", action: "ERRNO", more: "\"errnoRet\": 38") + ","
                + rule("close", action: "ERRNO", more: "\"errno\": \"EPERM\"") + ","
                + rule("open", action: "KILL_PROCESS") + ","
                + rule("dup", args: condition(0, "LT", 3)), denials: .notify)
        #expect(try program.returns(call("read")) == Returned.allow)
        #expect(try program.returns(call("write")) == Returned.enosys)
        #expect(try program.returns(call("close")) == Returned.notify)
        #expect(try program.returns(call("open")) == Returned.killProcess)
        #expect(try program.returns(call("stat")) == Returned.notify)
        #expect(try program.returns(call("dup", 2)) == Returned.allow)
        #expect(try program.returns(call("dup", 3)) == Returned.notify)
        let verdict = program.verdict(on: call("close"))
        #expect(verdict.action == .errno(1))
        #expect(program.isNotified(verdict))
        #expect(!program.isNotified(program.verdict(on: call("write"))))
    }

    @Test func `asks about watched calls that are allowed, and tells them from denials`() throws {
        let rules =
            rule("chown", "read") + "," + rule("keyctl", action: "ERRNO", more: "\"errnoRet\": 38")
            + "," + rule("dup", args: condition(0, "LT", 3))
        let program = try program(
            rules, denials: .notify, watching: ["chown", "dup", "keyctl", "bpf"])
        #expect(try program.returns(call("chown")) == Returned.notify)
        #expect(program.verdict(on: call("chown")).action == .allow)
        #expect(try program.returns(call("read")) == Returned.allow)
        #expect(try program.returns(call("keyctl")) == Returned.enosys)
        #expect(try program.returns(call("dup", 2)) == Returned.notify)
        #expect(program.verdict(on: call("dup", 2)).action == .allow)
        #expect(try program.returns(call("dup", 3)) == Returned.notify)
        #expect(program.verdict(on: call("dup", 3)).action == .errno(1))
        #expect(program.allowsAlways("read"))
        for name in ["chown", "dup", "bpf", "keyctl", "nonsense"] {
            #expect(!program.allowsAlways(name), "\(name)")
        }
        let quiet = try Self.make(rules, watching: ["chown"])
        #expect(try quiet.returns(call("chown")) == Returned.notify)
        #expect(try quiet.returns(call("bpf")) == Returned.eperm)
        #expect(quiet.needsListener)
        #expect(try !Self.make(rules).needsListener)
    }

    @Test func `watches nothing that no machine has`() throws {
        #expect(throws: PolicyError.self) { try program(rule("read"), watching: ["nonsense"]) }
        // chown is a call of older machines only.
        let old = try SeccompProgram(
            profile(rule("fchownat")), for: target(.aarch64), watching: ["chown", "fchownat"])
        #expect(old.watching == ["fchownat"])
    }

    @Test func `names the rule behind a verdict`() throws {
        let program = try program(
            rule("read") + ","
                + rule(
                    "socket", action: "ERRNO", args: condition(0, "EQ", 40),
                    more: "\"comment\": \"the hypervisor's sockets\""))
        let verdict = program.verdict(on: call("socket", 0x1_0000_0028))
        guard case .rule(let origin) = verdict.reason else {
            Issue.record("\(verdict)")
            return
        }
        #expect(origin.place.rule == 1)
        #expect(origin.comment == "the hypervisor's sockets")
        #expect(verdict.call == "socket")
        #expect(program.verdict(on: call("socket", 2)).reason == .defaultAction)
    }

    @Test(
        arguments: [
            ("ALLOW", 0x7FFF_0000), ("LOG", 0x7FFC_0000), ("TRAP", 0x0003_0000), ("KILL", 0),
            ("KILL_THREAD", 0), ("KILL_PROCESS", 0x8000_0000), ("TRACE", 0x7FF0_0001),
            ("ERRNO", 0x0005_0001),
        ] as [(String, UInt32)])
    func `returns what each action asks for`(action: String, value: UInt32) throws {
        #expect(try program(rule("read", action: action)).returns(call("read")) == value)
    }

    @Test func `stays on its feet when jumps grow long`() throws {
        // 600 tests on one call: the last is some 2400 instructions from the returns.
        let rules = (0..<600).map { value in
            rule(
                "prctl", action: value % 2 == 0 ? "ALLOW" : "LOG",
                args: condition(1, "EQ", UInt64(value) << 32 | UInt64(value)))
        }
        let program = try program(rules.joined(separator: ","))
        for value in [0, 1, 299, 300, 598, 599] as [UInt64] {
            let expected: UInt32 = value % 2 == 0 ? Returned.allow : 0x7FFC_0000
            #expect(try program.returns(call("prctl", 0, value << 32 | value)) == expected)
        }
        #expect(try program.returns(call("prctl", 0, 600 << 32 | 600)) == Returned.eperm)
    }

    @Test func `is refused when the kernel wouldn't take its length`() throws {
        let rules = (0..<1200).map { value in
            rule("prctl", args: condition(1, "EQ", UInt64(value) << 32 | UInt64(value)))
        }
        #expect {
            try program(rules.joined(separator: ","))
        } throws: { error in
            (error as? PolicyError)?.problem == .tooLarge(what: "instructions", limit: 4096)
        }
    }
}
