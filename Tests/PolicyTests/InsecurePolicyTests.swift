import Policy
import Testing

@Suite struct `The policy of an insecure RUN` {
    private func program() throws -> SeccompProgram {
        let policy = try SandboxPolicy.insecure
        return try SeccompProgram(
            policy.seccomp,
            for: SeccompTarget(
                architecture: .x86_64, kernel: KernelVersion(6, 1),
                capabilities: policy.capabilities))
    }

    @Test(arguments: [
        "bpf", "kexec_load", "init_module", "io_uring_setup", "keyctl", "add_key",
        "open_by_handle_at",
        "perf_event_open", "userfaultfd", "reboot", "swapon", "iopl", "settimeofday",
    ])
    func `keeps the floor`(name: String) throws {
        #expect(try program().returns(call(name)) == Returned.eperm)
    }

    @Test(arguments: [
        "mount", "unshare", "clone3", "setns", "pivot_root", "chroot", "read", "ptrace",
    ])
    func `allows what the default refuses or limits`(name: String) throws {
        #expect(try program().returns(call(name)) == Returned.allow)
    }

    @Test func `keeps sockets that reach past every namespace shut, and the terminal safe`() throws
    {
        let program = try program()
        for family in [38, 40] as [UInt64] {
            #expect(try program.returns(call("socket", family)) == Returned.eperm)
        }
        #expect(try program.returns(call("socket", 17)) == Returned.allow)
        #expect(try program.returns(call("ioctl", 0, 21522)) == Returned.eperm)
        #expect(try program.returns(call("ioctl", 0, 21505)) == Returned.allow)
    }

    @Test func `has every capability, and is another one for keys`() throws {
        let (insecure, usual) = (try SandboxPolicy.insecure, try SandboxPolicy.default)
        #expect(insecure.capabilities == .all)
        #expect(insecure.canonicalBytes != usual.canonicalBytes)
        #expect(insecure.paths.readOnly.isEmpty)
        #expect(insecure.paths.masked.map { "\($0)" } == ["/proc/kcore", "/proc/keys"])
    }
}
