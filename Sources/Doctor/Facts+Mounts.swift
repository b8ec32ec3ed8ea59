import Linux

extension FactCatalog {
    static let mountFacts: [FactDefinition] = [
        FactDefinition("mount.api", .mounts, "mounts by descriptor (Linux 5.12)") {
            KernelProbe.mountCalls.finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("proc.fresh", .mounts, "a /proc of the RUN's processes only") {
            KernelProbe.proc(onlyProcesses: false).finding(remedy: $0.procRemedy)
        },
        FactDefinition("proc.subset", .mounts, "the same where the outer one is masked") {
            KernelProbe.proc(onlyProcesses: true).finding(remedy: $0.procRemedy)
        },
        FactDefinition("sys.fresh", .mounts, "a /sys for RUNs with their own network") {
            KernelProbe.mount(.sysfs).finding(remedy: $0.procRemedy)
        },
        FactDefinition("tmpfs", .mounts, "the /dev and /dev/shm of a RUN") {
            KernelProbe.mount(.tmpfs).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("devpts", .mounts, "terminals of its own for a RUN") {
            KernelProbe.mount(.devpts).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("mqueue", .mounts, "message queues of its own for a RUN") {
            KernelProbe.mount(.mqueue).finding(remedy: $0.namespaceRemedy)
        },
        FactDefinition("overlay.userns", .mounts, "layers stacked without root (Linux 5.11)") {
            KernelProbe.overlay.finding(remedy: overlayRemedy($0))
        },
        FactDefinition("overlay.descriptors", .mounts, "any number of layers (Linux 6.13)") {
            place in
            switch KernelProbe.overlay.ask() {
            case .worked(2): return .good("yes")
            case .worked:
                return .degraded(
                    "no", "about 220 layers are the most", remedy: "Linux 6.13 or newer")
            case .refused(let error):
                return .missing("no", error.description, remedy: overlayRemedy(place))
            case .unanswered(let reason): return .unknown(reason)
            }
        },
        FactDefinition("idmap.mounts", .mounts, "one unpacked tree for several id maps") { _ in
            KernelProbe.mappedMount.finding(remedy: "Linux 5.12 or newer, and no mount filter")
        },
    ]

    private static func overlayRemedy(_ place: Place) -> String {
        if Host.kernelVersion < (5, 11) { return "Linux 5.11 or newer" }
        return place.exists("/sys/module/overlay")
            ? place.namespaceRemedy : "an administrator runs: modprobe overlay"
    }
}
