import CSeccomp
import Glibc
import Policy
import Testing

/// Where our policy differs from Docker's, every name of it: nothing differs by accident.
@Suite struct `The default policy beside Docker's` {
    enum Answer: Equatable { case allowed, refused, missing, conditional }

    /// Allowed by Docker, refused by us.
    private static let closed = [
        "epoll_ctl_old": "no kernel has it",
        "epoll_wait_old": "no kernel has it",
        "fanotify_mark": "of no use without fanotify_init, which nobody may call",
        "get_thread_area": "no 64-bit kernel has it",
        "set_thread_area": "no 64-bit kernel has it",
        "memfd_secret": "memory that our supervisor couldn't read",
        "modify_ldt": "for 16- and 32-bit code, which a RUN can't run",
    ]

    /// Refused by Docker, allowed by us.
    private static let opened = [
        "file_getattr": "does what an allowed ioctl does",
        "file_setattr": "does what an allowed ioctl does",
        "uprobe": "made by the kernel in a probed program, as uretprobe, which Docker knows",
    ]

    /// Allowed by Docker whatever the arguments, by some arguments here.
    private static let narrowed = [
        "ioctl": "TIOCSTI and TIOCLINUX type into the builder's terminal",
        "prlimit64": "process 1 of a sandbox is ours, and Docker's is the container's own",
        "socketpair": "other families than AF_UNIX load a module before they fail",
    ]

    /// Allowed by Docker for a capability, never here: the kernel asks for that capability on the host, so that a RUN
    /// can't use the call whatever it holds; or a build has no use for it.
    private static let neverByCapability = [
        "open_by_handle_at": "opens files by number, past every mount",
        "bpf": "the widest door into the kernel; a capability for mounts doesn't open it",
        "perf_event_open": "as bpf",
        "fanotify_init": "watches whole file systems",
        "lookup_dcookie": "gone from the kernel",
        "lsm_get_self_attr": "no build tool asks",
        "lsm_list_modules": "no build tool asks",
        "lsm_set_self_attr": "changes the security label",
        "quotactl": "of the host's file systems", "quotactl_fd": "of the host's file systems",
        "syslog": "the host's messages",
        "reboot": "not a build's business",
        "init_module": "code for the host's kernel", "finit_module": "code for the host's kernel",
        "delete_module": "code for the host's kernel",
        "acct": "writes the host's records",
        "iopl": "the host's devices", "ioperm": "the host's devices",
        "settimeofday": "the host's clock", "clock_settime": "the host's clock",
        "vhangup": "the host's terminal",
    ]

    /// Never allowed by Docker, here for a capability.
    private static let openedByCapability = [
        "pivot_root": "who may mount should be able to leave the old root behind",
        "listns": "shows the namespaces that it may make",
        "open_tree_attr": "open_tree and mount_setattr in one",
    ]

    @Test(arguments: [Architecture.x86_64, .aarch64])
    func `differs where this file says so`(architecture: Architecture) throws {
        let policy = try SandboxPolicy.default
        let program = try policy.program(architecture: architecture, kernel: KernelVersion(6, 1))
        var seen: Set<String> = []
        for (name, number) in Self.calls(of: architecture) {
            let theirs = Self.docker(name, capabilities: policy.capabilities)
            let ours = try Self.answer(of: program, to: number)
            switch (theirs, ours) {
            case (.allowed, .refused) where Self.closed[name] != nil: seen.insert(name)
            case (.refused, .allowed) where Self.opened[name] != nil: seen.insert(name)
            case (.allowed, .conditional) where Self.narrowed[name] != nil: seen.insert(name)
            default: #expect(theirs == ours, "\(name)")
            }
        }
        if architecture == .x86_64 {
            let listed = Set(Self.closed.keys).union(Self.opened.keys).union(Self.narrowed.keys)
            #expect(seen == listed, "a difference that is listed isn't one")
        }
    }

    @Test(arguments: [Architecture.x86_64, .aarch64])
    func `differs for a capability where this file says so`(architecture: Architecture) throws {
        for capability in CapabilitySet.all.names.map({ CapabilitySet(named: $0)! }) {
            var policy = try SandboxPolicy.default
            policy.capabilities = capability
            let program = try policy.program(
                architecture: architecture, kernel: KernelVersion(6, 1))
            for (name, number) in Self.calls(of: architecture) {
                if Self.closed[name] != nil || Self.opened[name] != nil
                    || Self.narrowed[name] != nil
                {
                    continue
                }
                let theirs = Self.docker(name, capabilities: capability)
                let ours = try Self.answer(of: program, to: number)
                switch (theirs, ours) {
                case (.allowed, .refused) where Self.neverByCapability[name] != nil: break
                case (.refused, .allowed) where Self.openedByCapability[name] != nil: break
                default: #expect(theirs == ours, "\(name) with \(capability.names)")
                }
            }
        }
    }

    @Test func `differs in arguments where this file says so`() throws {
        let program = try SandboxPolicy.default.program(
            architecture: .x86_64, kernel: KernelVersion(6, 1))
        let families = try (0..<64 as Range<UInt64>).filter {
            try program.returns(call("socket", $0)) == Returned.allow
        }
        // Docker: all but AF_ALG and AF_VSOCK, with their modules loaded on demand.
        #expect(families == [1, 2, 10, 16])
        #expect(DockerFacts.refusedFamilies.isDisjoint(with: families))
        let added = try ([0x40000] + Array(0..<0x100)).filter { value in
            try program.returns(call("personality", value)) == Returned.allow
                && !DockerFacts.personalities.contains(value)
        }
        #expect(added == [0x40000])
        for value in DockerFacts.personalities {
            #expect(try program.returns(call("personality", value)) == Returned.allow)
        }
        for bit in 0..<32 as Range<UInt64> {
            let refused = DockerFacts.refusedCloneFlags & (1 << bit) != 0
            #expect(
                try program.returns(call("clone", 1 << bit))
                    == (refused ? Returned.eperm : Returned.allow))
        }
    }

    // MARK: - Both sides

    static func docker(_ name: String, capabilities: CapabilitySet) -> Answer {
        if DockerFacts.allowed.contains(name) { return .allowed }
        for (capability, names) in DockerFacts.allowedByCapability
        where capabilities.contains(CapabilitySet(named: capability)!) && names.contains(name) {
            return .allowed
        }
        if DockerFacts.conditional.contains(name) { return .conditional }
        return DockerFacts.missing.contains(name) ? .missing : .refused
    }

    static func answer(of program: SeccompProgram, to number: UInt32) throws -> Answer {
        let machine = program.target.architecture.auditNumber
        let answer = try Interpreter(program).answer(
            to: SystemCall(number: number, architecture: machine))
        if answer.readArguments { return .conditional }
        return switch answer.value {
        case Returned.allow: .allowed
        case Returned.enosys: .missing
        default: .refused
        }
    }

    /// The machine's calls, as libseccomp and the newer kernels number them.
    static func calls(of architecture: Architecture) -> [String: UInt32] {
        var calls: [String: UInt32] = [
            "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460,
            "lsm_list_modules": 461, "mseal": 462, "setxattrat": 463, "getxattrat": 464,
            "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468,
            "file_setattr": 469, "listns": 470,
        ]
        if architecture == .x86_64 {
            calls["uretprobe"] = 335
            calls["uprobe"] = 336
        }
        for number in 0..<500 as Range<CInt> {
            guard let name = seccomp_syscall_resolve_num_arch(architecture.auditNumber, number)
            else { continue }
            calls[String(cString: name)] = UInt32(number)
            free(name)
        }
        return calls
    }
}
