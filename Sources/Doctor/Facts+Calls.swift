import Linux

extension FactCatalog {
    static let callFacts: [FactDefinition] = [
        FactDefinition("clone3", .calls, "starts each RUN (Linux 5.3)") {
            KernelProbe.clone3.finding(remedy: callRemedy("Linux 5.3", $0))
        },
        FactDefinition("unshare", .calls, "parts a RUN's first process from it") {
            KernelProbe.unshare.finding(remedy: callRemedy("Linux 2.6.16", $0))
        },
        FactDefinition("openat2", .calls, "keeps foreign paths inside (Linux 5.6)") {
            KernelProbe.openat2.finding(remedy: callRemedy("Linux 5.6", $0))
        },
        FactDefinition("close_range", .calls, "closes descriptors before a RUN (5.9)") {
            KernelProbe.closeRange.finding(remedy: callRemedy("Linux 5.9", $0))
        },
        FactDefinition("pidfd_getfd", .calls, "fetches the listener of a RUN (5.6)") {
            KernelProbe.pidfdGetfd.finding(remedy: callRemedy("Linux 5.6", $0))
        },
        FactDefinition("memfd", .calls, "files in memory that can be executed") { _ in
            KernelProbe.memfd.finding(remedy: "an administrator runs: sysctl vm.memfd_noexec=0")
        },
    ]

    private static func callRemedy(_ kernel: String, _ place: Place) -> String {
        if place.ownStatus("Seccomp") == "2" {
            return Container.around(place).namespaceRemedy
                ?? "let the seccomp filter around this process allow the call"
        }
        return "\(kernel) or newer"
    }
}
