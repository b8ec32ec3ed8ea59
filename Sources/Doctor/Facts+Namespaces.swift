import Linux

extension FactCatalog {
    static let namespaceFacts: [FactDefinition] = [
        FactDefinition("userns", .namespaces, "what a RUN lives in; COPY needs none") {
            KernelProbe.userNamespace.finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("userns.depth", .namespaces, "how deep; a RUN needs two", depth),
        FactDefinition("max_user_namespaces", .namespaces, "limit of the kernel") {
            limit(of: "user", $0)
        },
        FactDefinition(
            "sysctl.unprivileged_userns_clone", .namespaces, "Debian's switch for user namespaces"
        ) { place in
            switch place.number(in: "/proc/sys/kernel/unprivileged_userns_clone") {
            case nil: .good("absent", "this kernel has no such switch")
            case 0?:
                .missing(
                    "0", "only root may make user namespaces",
                    remedy: "an administrator runs: sysctl kernel.unprivileged_userns_clone=1")
            case let number?: .good("\(number)")
            }
        },
        FactDefinition(
            "apparmor.userns", .namespaces, "Ubuntu's: namespaces without rights",
            appArmor),
        FactDefinition("mntns", .namespaces, "a mount namespace: a root of its own") {
            KernelProbe.namespace(.mount).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("pidns", .namespaces, "a PID namespace: no process stays behind") {
            KernelProbe.namespace(.pid).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("netns", .namespaces, "a network namespace: --network none") {
            KernelProbe.namespace(.network).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("ipcns", .namespaces, "an IPC namespace: shared memory of its own") {
            KernelProbe.namespace(.ipc).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("utsns", .namespaces, "a UTS namespace: a host name of its own") {
            KernelProbe.namespace(.hostname).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("cgroupns", .namespaces, "a cgroup namespace: hides the host's") {
            KernelProbe.namespace(.cgroup).finding(remedy: $0.namespaceRemedy)
        },
    ]

    private static func depth(_ place: Place) -> Finding {
        switch KernelProbe.userNamespaceDepth.ask() {
        case .worked(let count) where count >= 2: .good("\(count)")
        case .worked(let count):
            .missing("\(count)", "a RUN needs 2", remedy: place.namespaceRemedy)
        case .refused(let error): .missing("0", error.description, remedy: place.namespaceRemedy)
        case .unanswered(let reason): .unknown(reason)
        }
    }

    private static func limit(of kind: String, _ place: Place) -> Finding {
        guard let limit = place.number(in: "/proc/sys/user/max_\(kind)_namespaces") else {
            return .unknown("/proc/sys/user/max_\(kind)_namespaces can't be read")
        }
        let remedy = "an administrator runs: sysctl user.max_\(kind)_namespaces=28633"
        switch limit {
        case 0: return .missing("0", "there may be none", remedy: remedy)
        case ..<8: return .degraded("\(limit)", "few builds at a time", remedy: remedy)
        default: return .good("\(limit)")
        }
    }

    /// On a restricted host, unshare works and what comes after fails: only a profile for this program's path helps.
    private static func appArmor(_ place: Place) -> Finding {
        let name = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
        guard let setting = place.number(in: name) else { return .good("absent") }
        if setting == 0 { return .good("0") }
        // A profile that has `userns` for our path is an exception; then a namespace keeps its rights.
        switch KernelProbe.namespace(.mount).ask() {
        case .worked: return .good("\(setting)", "a profile makes an exception for this program")
        case .unanswered(let reason): return .unknown(reason)
        case .refused:
            return .missing(
                "\(setting)", "namespaces of this program have no rights",
                remedy: appArmorProfile(place))
        }
    }

    /// The file that an administrator loads, for the path where this program is.
    static func appArmorProfile(_ place: Place) -> String {
        let path = ownProgramPath() ?? "/usr/bin/lichen"
        return "an administrator writes to /etc/apparmor.d/lichen: "
            + "abi <abi/4.0>, profile lichen \(path) "
            + "flags=(unconfined) { userns, } and runs: apparmor_parser -r /etc/apparmor.d/lichen"
    }
}
