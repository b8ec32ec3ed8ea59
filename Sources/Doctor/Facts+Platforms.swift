import Linux

extension FactCatalog {
    static let platformFacts: [FactDefinition] =
        [
            FactDefinition("binfmt.userns", .platforms, "emulators without root (Linux 6.7)") { _ in
                KernelProbe.binfmt.finding(
                    remedy: "Linux 6.7 or newer with binfmt_misc (modprobe binfmt_misc)")
            }
        ] + Machine.all.map(binfmt) + Machine.all.map(qemu)

    private static let remedy = "an administrator runs: apt-get install qemu-user-static"

    /// As a build finds it: an entry that works in any root.
    private static func binfmt(_ machine: Machine) -> FactDefinition {
        let platform = machine.architecture
        return FactDefinition(
            "binfmt.\(platform)", .platforms, "RUN in linux/\(platform) images, for all users"
        ) { _ in
            if machine.isNative { return .good("native") }
            if let entry = ProgramFormat.registered().first(where: { $0.serves(machine) }) {
                return .good("yes", entry.interpreter)
            }
            return .missing("no", "no emulator is registered", remedy: remedy)
        }
    }

    private static func qemu(_ machine: Machine) -> FactDefinition {
        FactDefinition(
            "qemu.\(machine.architecture)", .platforms,
            "a static emulator to register"
        ) { place in
            if machine.isNative { return .good("native") }
            let searchPath = place.environment["PATH"] ?? ""
            if let found = Emulator.installed(for: machine, searchPath: searchPath) {
                return .good("yes", found.path)
            }
            return .missing("no", "not installed", remedy: remedy)
        }
    }
}
