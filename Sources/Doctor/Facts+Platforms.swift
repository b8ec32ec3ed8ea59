import Linux

extension FactCatalog {
    static let platformFacts: [FactDefinition] =
        [
            FactDefinition("binfmt.userns", .platforms, "emulators without root (Linux 6.7)") { _ in
                KernelProbe.binfmt.finding(
                    remedy: "Linux 6.7 or newer with binfmt_misc (modprobe binfmt_misc)")
            }
        ] + foreign.map { binfmt($0.platform, $0.machine) }
        + foreign.map { qemu($0.platform, $0.machine) }

    /// OCI architecture, and what the kernel and qemu call it.
    private static let foreign = [
        (platform: "amd64", machine: "x86_64"), (platform: "arm64", machine: "aarch64"),
        (platform: "arm", machine: "arm"), (platform: "riscv64", machine: "riscv64"),
        (platform: "ppc64le", machine: "ppc64le"), (platform: "s390x", machine: "s390x"),
    ]

    private static func binfmt(_ platform: String, _ machine: String) -> FactDefinition {
        FactDefinition("binfmt.\(platform)", .platforms, "RUN in linux/\(platform) images") {
            place in
            if Host.machine == machine { return .good("native") }
            guard let line = place.line(of: "/proc/sys/fs/binfmt_misc/qemu-\(machine)") else {
                return .missing(
                    "no", "no emulator is registered",
                    remedy: "an administrator runs: apt-get install qemu-user-static")
            }
            if line == "enabled" { return .good("yes") }
            return .degraded("no", line, remedy: "an administrator enables binfmt_misc")
        }
    }

    private static func qemu(_ platform: String, _ machine: String) -> FactDefinition {
        FactDefinition("qemu.\(platform)", .platforms, "a static emulator to register") { place in
            if Host.machine == machine { return .good("native") }
            return program(
                "qemu-\(machine)-static", place,
                "an administrator runs: apt-get install qemu-user-static")
        }
    }
}
