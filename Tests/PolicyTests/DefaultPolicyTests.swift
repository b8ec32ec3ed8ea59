import Policy
import SystemPackage
import Testing

@Suite struct `The default policy` {
    private func program(
        _ architecture: Architecture = .x86_64, adding extra: String...,
        denials: SeccompProgram.Denials = .errno
    ) throws -> SeccompProgram {
        var policy = try SandboxPolicy.default
        for name in extra { policy.capabilities.insert(CapabilitySet(named: name)!) }
        return try policy.program(
            architecture: architecture, kernel: KernelVersion(6, 1), denials: denials)
    }

    @Test(arguments: Architecture.allCases)
    func `compiles, and fits well into a program`(architecture: Architecture) throws {
        let program = try program(architecture)
        #expect(program.count < 400)
        #expect(program.bytes.count == program.count * 8)
        #expect(program.shadowed.isEmpty)
        #expect(program.flags == .allowSpeculation)
    }

    @Test(arguments: [
        "read", "openat", "execve", "mmap", "futex", "chown", "fchownat", "mknod", "setuid",
        "setgroups", "capset", "chroot", "ptrace", "process_vm_readv", "connect", "recvmsg",
        "statx",
        "getrandom", "rseq", "close_range", "landlock_restrict_self", "seccomp", "setxattr", "kill",
        "prctl", "io_setup", "renameat2", "copy_file_range", "sched_setaffinity",
        "fork",
        "vfork", "unlinkat", "flock", "inotify_init1", "shmget", "timer_create", "fchmodat2",
    ])
    func `allows what a build calls`(name: String) throws {
        let answer = try Interpreter(program()).answer(to: call(name))
        #expect(answer.value == Returned.allow)
        #expect(!answer.readArguments, "the kernel can answer from its bitmap")
    }

    /// The sandbox's own process is not the RUN's; the kernel takes the number for an int.
    @Test func `keeps the limits of process 1`() throws {
        let program = try program()
        for pid in [0, 2, 77] as [UInt64] {
            #expect(try program.returns(call("prlimit64", pid)) == Returned.allow)
        }
        for pid in [1, 0x1_0000_0001, 0xFFFF_FFFF_0000_0001] as [UInt64] {
            #expect(try program.returns(call("prlimit64", pid)) == Returned.eperm)
        }
    }

    @Test(arguments: [
        "mount", "umount2", "pivot_root", "setns", "unshare", "open_tree", "move_mount", "fsopen",
        "mount_setattr", "keyctl", "add_key", "request_key", "bpf", "perf_event_open",
        "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "kexec_load",
        "kexec_file_load", "init_module", "finit_module", "delete_module", "open_by_handle_at",
        "swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "quotactl", "quotactl_fd",
        "acct", "iopl", "ioperm", "syslog", "vhangup", "sethostname", "setdomainname", "kcmp",
        "pidfd_getfd", "process_madvise", "fanotify_init", "lookup_dcookie", "move_pages",
        "migrate_pages", "mbind", "set_mempolicy", "nfsservctl", "uselib", "ustat", "sysfs",
        "modify_ldt", "memfd_secret", "get_kernel_syms",
    ])
    func `refuses what a build doesn't call`(name: String) throws {
        #expect(try program().returns(call(name)) == Returned.eperm)
        #expect(try program(denials: .notify).returns(call(name)) == Returned.notify)
    }

    @Test func `answers clone3 with ENOSYS, so that libc takes clone`() throws {
        #expect(try program().returns(call("clone3", 0x7FFF_0000, 88)) == Returned.enosys)
        #expect(try program(denials: .notify).returns(call("clone3")) == Returned.enosys)
    }

    @Test(
        arguments: [
            0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000,
            0x4000_0000,
        ] as [UInt64])
    func `refuses a namespace to clone, whatever stands beside it`(flag: UInt64) throws {
        let program = try program()
        #expect(try program.returns(call("clone", 0x003D_0F00)) == Returned.allow)
        #expect(try program.returns(call("clone", 17)) == Returned.allow)
        #expect(try program.returns(call("clone", flag)) == Returned.eperm)
        #expect(try program.returns(call("clone", flag | 17)) == Returned.eperm)
        #expect(try program.returns(call("clone", flag | 0xFFFF_FFFF_0000_0011)) == Returned.eperm)
    }

    @Test func `allows namespaces and mounts with CAP_SYS_ADMIN, and not more`() throws {
        let program = try program(adding: "SYS_ADMIN")
        for name in ["mount", "umount2", "pivot_root", "setns", "unshare", "clone3", "fsopen"] {
            #expect(try program.returns(call(name)) == Returned.allow)
        }
        #expect(try program.returns(call("clone", 0x1000_0011)) == Returned.allow)
        for name in ["bpf", "perf_event_open", "quotactl", "syslog", "fanotify_init", "swapon"] {
            #expect(try program.returns(call(name)) == Returned.eperm)
        }
    }

    @Test func `allows four families of sockets`() throws {
        let program = try program()
        for family in 0...64 as ClosedRange<UInt64> {
            let expected = [1, 2, 10, 16].contains(family) ? Returned.allow : Returned.eperm
            #expect(try program.returns(call("socket", family, 1)) == expected)
        }
    }

    @Test(
        arguments: [
            0x1_0000_0026, 0x1_0000_0028, 0xFFFF_FFFF_0000_0026, 0x8000_0000_0000_0011, 0x26, 0x28,
            0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF,
        ] as [UInt64])
    func `isn't fooled by bits that the kernel doesn't read`(family: UInt64) throws {
        #expect(try program().returns(call("socket", family, 5)) == Returned.eperm)
        #expect(
            try program(.aarch64).returns(call("socket", family, 5, on: .aarch64)) == Returned.eperm
        )
    }

    @Test func `allows a family with bits that the kernel doesn't read`() throws {
        #expect(try program().returns(call("socket", 0x1_0000_0002)) == Returned.allow)
        #expect(try program().returns(call("socketpair", 0xFFFF_0000_0000_0001)) == Returned.allow)
        #expect(try program().returns(call("socketpair", 30)) == Returned.eperm)
    }

    @Test(arguments: [0, 8, 0x20000, 0x20008, 0x40000, 0xFFFF_FFFF, 0x1_0000_0008] as [UInt64])
    func `allows the harmless personalities`(value: UInt64) throws {
        #expect(try program().returns(call("personality", value)) == Returned.allow)
    }

    @Test(arguments: [1, 9, 0x10_0000, 0x40_0000, 0x40008, 0x1_0040_0000] as [UInt64])
    func `refuses other personalities`(value: UInt64) throws {
        #expect(try program().returns(call("personality", value)) == Returned.eperm)
    }

    @Test func `refuses to type into a terminal`() throws {
        let program = try program()
        #expect(try program.returns(call("ioctl", 0, 0x5401)) == Returned.allow)
        for command in [0x5412, 0x541C, 0x1_0000_5412, 0xFFFF_FFFF_0000_541C] as [UInt64] {
            #expect(try program.returns(call("ioctl", 0, command)) == Returned.eperm)
        }
    }

    @Test func `allows ptrace only where a tracer can't step around the filter`() throws {
        let policy = try SandboxPolicy.default
        let old = try policy.program(architecture: .x86_64, kernel: KernelVersion(4, 7))
        let new = try policy.program(architecture: .x86_64, kernel: KernelVersion(4, 8))
        #expect(try old.returns(call("ptrace")) == Returned.eperm)
        #expect(try new.returns(call("ptrace")) == Returned.allow)
    }

    @Test func `refuses chroot without its capability`() throws {
        var policy = try SandboxPolicy.default
        policy.capabilities = []
        let program = try policy.program(architecture: .x86_64, kernel: KernelVersion(6, 1))
        #expect(try program.returns(call("chroot")) == Returned.eperm)
    }

    @Test func `gives Docker's fourteen capabilities`() throws {
        #expect(
            Set(try SandboxPolicy.default.capabilities.names) == [
                "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
                "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
                "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
            ])
    }

    @Test func `hides the kernel's memory and keeps its settings`() throws {
        let paths = try SandboxPolicy.default.paths
        #expect(paths.masked.contains("/proc/kcore"))
        #expect(paths.readOnly.contains("/proc/sys"))
        #expect(paths.readOnly.contains("/proc/sysrq-trigger"))
    }

    @Test func `has one key, and another when anything of it changes`() throws {
        let policy = try SandboxPolicy.default
        #expect(try policy.canonicalBytes == SandboxPolicy.default.canonicalBytes)
        var other = policy
        other.capabilities.insert(CapabilitySet(named: "SYS_ADMIN")!)
        #expect(other.canonicalBytes != policy.canonicalBytes)
        other = policy
        other.paths.readOnly.append("/proc/x")
        #expect(other.canonicalBytes != policy.canonicalBytes)
        other = policy
        other.seccomp.rules.removeLast()
        #expect(other.canonicalBytes != policy.canonicalBytes)
        other = policy
        other.seccomp.rules[0].comment = "another reason"
        #expect(other.canonicalBytes == policy.canonicalBytes)
    }
}
