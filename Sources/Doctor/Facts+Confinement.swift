import Linux

extension FactCatalog {
    static let confinementFacts: [FactDefinition] = [
        FactDefinition("seccomp", .confinement, "a RUN gets the calls of its policy only") { _ in
            KernelProbe.filter(.plain).finding(remedy: "a kernel with CONFIG_SECCOMP_FILTER")
        },
        FactDefinition("seccomp.outer", .confinement, "a filter that was here before us") {
            place in
            switch place.ownStatus("Seccomp") {
            case "0"?: .good("no")
            case "2"?:
                .degraded("yes", "\(place.ownStatus("Seccomp_filters") ?? "some") around us")
            case let other: .unknown("/proc/self/status says \(other ?? "nothing")")
            }
        },
        FactDefinition("seccomp.listener", .confinement, "denials are explained, ids emulated") {
            _ in
            KernelProbe.filter(.listener).finding(
                remedy: "Linux 5.0 or newer, and no listener of a sandbox around this one")
        },
        FactDefinition("supervisor", .confinement, "what else explaining and emulating takes") {
            place in
            do throws(SystemError) {
                try Supervisor.check()
                return .good("yes")
            } catch {
                return .missing("no", error.description, remedy: place.namespaceRemedy)
            }
        },
        FactDefinition("seccomp.listener.nested", .confinement, "listeners of builds in a RUN") {
            _ in
            switch KernelProbe.nestedListener.ask() {
            case .worked: .good("yes")
            case .refused(let error): .degraded("no", error.description)
            case .unanswered(let reason): .unknown(reason)
            }
        },
        FactDefinition("seccomp.wait_killable", .confinement, "signals don't undo an answer") {
            _ in
            KernelProbe.filter(.waitKillable).finding(remedy: "Linux 5.19 or newer")
        },
        FactDefinition("seccomp.sync_wakeup", .confinement, "supervised calls cost half") { _ in
            KernelProbe.listenerWakeUp.finding(remedy: "Linux 6.6 or newer")
        },
        FactDefinition("landlock", .confinement, "the ABI; a second wall (Linux 5.13)", landlock),
        FactDefinition("landlock.files", .confinement, "the unpacker reaches its tree only") { _ in
            KernelProbe.landlockFiles.finding(remedy: landlockRemedy)
        },
        FactDefinition("landlock.network", .confinement, "TCP by port (Linux 6.7)") { _ in
            KernelProbe.landlockNetwork.finding(remedy: landlockNetworkRemedy)
        },
        FactDefinition("landlock.scopes", .confinement, "no signals or sockets to the outside") {
            _ in KernelProbe.landlockScopes.finding(remedy: "Linux 6.12 or newer")
        },
        FactDefinition("no_new_privs", .confinement, "set already, newuidmap can't work") {
            place in
            switch place.ownStatus("NoNewPrivs") {
            case "0"?: .good("no")
            case "1"?:
                .degraded("yes", "set by what started us", remedy: "start lichen without it")
            default: .unknown("/proc/self/status has no NoNewPrivs")
            }
        },
        FactDefinition("capabilities", .confinement, "a build needs none", capabilities),
    ]

    static let landlockNetworkRemedy = "Linux 6.7 or newer, with landlock in its lsm= list"

    private static let landlockRemedy =
        "Linux 5.13 or newer with landlock in its lsm= list, and no filter before it"

    private static func landlock(_ place: Place) -> Finding {
        switch KernelProbe.landlock.ask() {
        case .worked(let abi) where abi >= 6: .good("\(abi)")
        case .worked(let abi):
            .degraded("\(abi)", "6 has scopes", remedy: "Linux 6.12 or newer")
        case .refused(let error): .missing("0", error.description, remedy: landlockRemedy)
        case .unanswered(let reason): .unknown(reason)
        }
    }

    private static func capabilities(_ place: Place) -> Finding {
        guard let text = place.ownStatus("CapEff"), let bits = UInt64(text, radix: 16) else {
            return .unknown("/proc/self/status has no CapEff")
        }
        if bits == 0 { return .good("none") }
        let count = bits.nonzeroBitCount
        return .degraded(
            "\(count)", "0x" + String(bits, radix: 16),
            remedy: "run builds as an ordinary user: a fault of ours is worth less then")
    }
}
