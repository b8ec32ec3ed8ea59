import Policy
import Testing

@Suite struct `A profile` {
    @Test func `is read in Docker's form`() throws {
        let gated = """
            {"name": "clone", "action": "SCMP_ACT_ALLOW", "comment": "why",
             "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}],
             "includes": {"minKernel": "4.8", "caps": null},
             "excludes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["s390", "s390x"]}}
            """
        let map =
            "\"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": null}],"
        let read = try profile(gated, more: map)
        #expect(read.architectures == ["SCMP_ARCH_X86_64"])
        #expect(read.rules[0].names == ["clone"])
        #expect(read.rules[0].includes.minimumKernel == KernelVersion(4, 8))
        #expect(
            read.rules[0].conditions == [
                ArgumentCondition(argument: 0, test: .masked(0x7E02_0000, equals: 0))
            ])
        #expect(try ResolvedProfile(read, for: target()).rules.count == 1)
        #expect(try ResolvedProfile(read, for: target(kernel: KernelVersion(4, 7))).rules.isEmpty)
        #expect(try ResolvedProfile(read, for: target(capabilities: "SYS_ADMIN")).rules.isEmpty)
    }

    @Test func `is read in Podman's form`() throws {
        let read = try profile(
            rule(
                "bpf", action: "ERRNO",
                more: "\"errnoRet\": 1, \"errno\": \"EPERM\", \"includes\": {}"),
            more: "\"defaultErrnoRet\": 38, \"defaultErrno\": \"ENOSYS\",")
        #expect(read.defaultAction == .errno(38))
        #expect(read.rules[0].action == .errno(1))
    }

    @Test func `is read in the form of the runtime specification`() throws {
        let read = try profile(
            rule("read"),
            more: """
                "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
                "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
                """)
        #expect(read.flags == [.log, .allowSpeculation])
        #expect(try SeccompProgram(read, for: target()).flags == [.log, .allowSpeculation])
        #expect(try profile("", more: "\"flags\": [],").flags == [])
        let waiting = try profile(
            "",
            more:
                "\"flags\": [\"SECCOMP_FILTER_FLAG_TSYNC\", \"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],"
        )
        #expect(try SeccompProgram(waiting, for: target()).flags == [])
        #expect(
            try SeccompProgram(waiting, for: target(), denials: .notify).flags == .waitKillable)
    }

    @Test func `names calls of other machines, which don't count here`() throws {
        let read = try profile(rule("read", "chown32", "s390_runtime_instr", "riscv_hwprobe"))
        #expect(try ResolvedProfile(read, for: target()).rules.map(\.call) == ["read"])
        #expect(
            try ResolvedProfile(read, for: target(.riscv64)).rules.map(\.call) == [
                "read", "riscv_hwprobe",
            ])
    }

    @Test func `has the same key however its comments read`() throws {
        let plain = try profile(rule("read"))
        #expect(
            try profile(rule("read", more: "\"comment\": \"x\"")).canonicalBytes
                == plain.canonicalBytes)
        #expect(try profile(rule("write")).canonicalBytes != plain.canonicalBytes)
        #expect(try profile(rule("read", action: "LOG")).canonicalBytes != plain.canonicalBytes)
        #expect(
            try profile(rule("read", args: condition(0, "EQ", 1))).canonicalBytes
                != plain.canonicalBytes)
    }

    /// What is wrong, and the message.
    @Test(arguments: [
        (rule("reed"), "test.json:1: rule 0, names[0]: no system call is named reed"),
        (rule("read") + "," + rule("read", "wríte"), "no system call is named wríte"),
        (rule("read", action: "PERMIT"), "rule 0, action: unknown action SCMP_ACT_PERMIT"),
        (
            rule("read", action: "NOTIFY"),
            "can't be enforced: notifications go to our supervisor only"
        ),
        (
            rule("read", args: condition(0, "EQUAL", 1)),
            "args[0].op: unknown comparison SCMP_CMP_EQUAL"
        ),
        (rule("read", args: condition(6, "EQ", 1)), "args[0].index: must be at most 5"),
        (
            rule("read", args: condition(0, "EQ", 1, 2)),
            "args[0].valueTwo: SCMP_CMP_EQ takes one value"
        ),
        (
            rule("read", args: "{\"index\": 0, \"op\": \"SCMP_CMP_EQ\"}"),
            "args[0].value: is missing"
        ),
        (
            rule("read", args: "{\"index\": 0, \"value\": -1, \"op\": \"SCMP_CMP_EQ\"}"),
            "args[0].value: must be a whole number below 2^64"
        ),
        (
            rule("read", args: "{\"index\": 0, \"value\": 1e3, \"op\": \"SCMP_CMP_EQ\"}"),
            "args[0].value: must be a whole number below 2^64"
        ),
        (
            rule("read", args: "{\"index\": 0, \"value\": 18446744073709551616, \"op\": \"x\"}"),
            "args[0].value: must be a whole number below 2^64"
        ),
        (
            rule("read", args: "{\"index\": 0, \"value\": \"1\", \"op\": \"SCMP_CMP_EQ\"}"),
            "args[0].value: must be a number"
        ),
        (rule("read", more: "\"errnoRet\": 1"), "errnoRet: SCMP_ACT_ALLOW returns no error number"),
        (
            rule("read", action: "ERRNO", more: "\"errnoRet\": 1, \"errno\": \"ENOSYS\""),
            "errnoRet: ENOSYS is 38, but errnoRet says 1"
        ),
        (rule("read", action: "ERRNO", more: "\"errno\": \"ENOPE\""), "errno: unknown error ENOPE"),
        (
            rule("read", action: "ERRNO", more: "\"errnoRet\": 4096"),
            "errnoRet: must be at most 4095"
        ),
        (rule("read", more: "\"name\": \"write\""), "names: name and names exclude each other"),
        ("{\"action\": \"SCMP_ACT_ALLOW\"}", "rule 0, names: is missing"),
        ("{\"names\": [\"read\"]}", "rule 0, action: is missing"),
        (rule("read", more: "\"arg\": []"), "rule 0: unknown field arg"),
        (rule("read", more: "\"comment\": 1"), "comment: must be a string"),
        (rule("read", more: "\"includes\": {\"cap\": []}"), "includes: unknown field cap"),
        (
            rule("read", more: "\"includes\": {\"caps\": [\"CAP_ALL\"]}"),
            "includes.caps[0]: unknown capability CAP_ALL"
        ),
        (
            rule("read", more: "\"excludes\": {\"arches\": [\"x86_64\"]}"),
            "excludes.arches[0]: unknown architecture x86_64"
        ),
        (
            rule("read", more: "\"includes\": {\"minKernel\": \"4.8.1\"}"),
            "includes.minKernel: must be two numbers, X.Y"
        ),
        ("\"read\"", "rule 0: must be an object"),
        (rule("read", more: "\"action\": \"SCMP_ACT_LOG\""), "not JSON: a key is given twice"),
        ("{", "not JSON: a key in quotes is missing"),
    ])
    func `is refused where it can't be understood`(rules: String, message: String) {
        #expect {
            _ = try profile(rules)
        } throws: { error in
            Self.isPolicyError(error, ending: message)
        }
    }

    @Test(arguments: [
        (
            rule("socket", args: condition(3, "EQ", 1)),
            "args[0]: socket has 3 arguments, counted from 0"
        ),
        (
            rule("socket", args: condition(0, "EQ", 0x1_0000_0028)),
            "args[0]: argument 0 has 32 bits, 4294967336 has more"
        ),
        (
            rule("clone", args: condition(0, "MASKED_EQ", 1, 3)),
            "args[0]: the value 3 has bits outside its mask 1"
        ),
        (
            rule("afs_syscall", args: condition(0, "EQ", 1)),
            "args: can't be enforced: the arguments of afs_syscall aren't known to us"
        ),
    ])
    func `is refused where a condition can't be true`(rules: String, message: String) {
        #expect {
            _ = try program(rules)
        } throws: { error in
            Self.isPolicyError(error, ending: message)
        }
    }

    @Test(arguments: [
        ("", "not JSON: it ends too early"), ("[]", "must be an object"),
        ("{}", "defaultAction: is missing"), ("nul", "not JSON: a value is missing"),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\"} x", "not JSON: something follows the value"),
        ("{\"defaultAction\": \"\\ud800\"}", "not JSON: half a code point"),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"seccomp\": {}}",
            "test.json:1: unknown field seccomp"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"listenerPath\": \"/run/x\"}",
            "test.json:2: listenerPath: can't be enforced: notifications go to our supervisor only"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86_46\"]}",
            "architectures[0]: unknown architecture SCMP_ARCH_X86_46"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"FAST\"]}",
            "flags[0]: unknown flag FAST"
        ),
        (String(repeating: "[", count: 100_000), "not JSON: it is nested too deeply"),
        (String(repeating: " ", count: 2 << 20), "more than 1048576 bytes"),
    ])
    func `is refused as a whole`(text: String, message: String) {
        #expect {
            _ = try SeccompProfile(parsing: Array(text.utf8), named: "test.json")
        } throws: { error in
            Self.isPolicyError(error, ending: message)
        }
    }

    @Test func `survives every cut and every changed byte`() throws {
        var generator = SeededGenerator(state: 7)
        let text = Array(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": [
            {"names": ["read", "wr\\u0069te"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 18446744073709551615, "valueTwo": 0, "op": "SCMP_CMP_NE"}],
            "includes": {"caps": ["CAP_KILL"], "minKernel": "4.8"}, "comment": null}]}
            """.utf8)
        _ = try SeccompProfile(parsing: text, named: "test.json")
        for length in text.indices {
            #expect(throws: PolicyError.self) {
                _ = try SeccompProfile(parsing: Array(text[..<length]), named: "test.json")
            }
        }
        for _ in 0..<4000 {
            var changed = text
            changed[Int.random(in: text.indices, using: &generator)] = .random(
                in: 0...255, using: &generator)
            // Either answer is right, as long as there is one.
            guard let read = try? SeccompProfile(parsing: changed, named: "test.json") else {
                continue
            }
            _ = try? SeccompProgram(read, for: target())
        }
    }

    private static func isPolicyError(_ error: any Error, ending: String) -> Bool {
        let text = (error as? PolicyError)?.description
        let matches = text?.hasSuffix(ending) == true
        if !matches { Issue.record("\(text ?? "\(error)")") }
        return matches
    }
}
