import SystemPackage

/// What a sandbox may do: one value from which every part of it is set up.
public struct SandboxPolicy: Equatable, Sendable {
    public var seccomp: SeccompProfile
    /// The bounding set of a RUN; inside its user namespace, never on the host.
    public var capabilities: CapabilitySet
    public var paths: ProtectedPaths

    public init(seccomp: SeccompProfile, capabilities: CapabilitySet, paths: ProtectedPaths) {
        self.seccomp = seccomp
        self.capabilities = capabilities
        self.paths = paths
    }

    /// The policy of `policies/`, compiled into this program.
    ///
    /// - Throws: never, unless those files are broken; a test reads them.
    public static var `default`: SandboxPolicy {
        get throws(PolicyError) {
            SandboxPolicy(
                seccomp: try SeccompProfile(
                    parsing: PackageResources.default_json, named: "policies/default.json"),
                capabilities: try CapabilitySet(
                    parsing: PackageResources.default_capabilities_json,
                    named: "policies/capabilities/default-capabilities.json"),
                paths: try ProtectedPaths(
                    parsing: PackageResources.default_paths_json,
                    named: "policies/paths/default-paths.json"))
        }
    }

    /// The policy of `RUN --security=insecure`: every capability of the RUN's own user namespace, and of calls and paths only a
    /// floor, which keeps what belongs to no namespace.
    public static var insecure: SandboxPolicy {
        get throws(PolicyError) {
            SandboxPolicy(
                seccomp: try SeccompProfile(
                    parsing: PackageResources.insecure_json, named: "policies/insecure.json"),
                capabilities: .all,
                paths: try ProtectedPaths(
                    parsing: PackageResources.insecure_paths_json,
                    named: "policies/paths/insecure-paths.json"))
        }
    }

    /// The program of the process that unpacks layers and finds changes: it makes no process and no socket.
    public static func unpackerProgram(architecture: Architecture, kernel: KernelVersion)
        throws(PolicyError) -> SeccompProgram
    {
        let profile = try SeccompProfile(
            parsing: PackageResources.unpacker_json, named: "policies/unpacker.json")
        let target = SeccompTarget(
            architecture: architecture, kernel: kernel, capabilities: unpackerCapabilities)
        return try SeccompProgram(profile, for: target)
    }

    /// What that process keeps: files of all owners, and nothing that reaches beyond files.
    public static let unpackerCapabilities = CapabilitySet(
        ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP"].compactMap {
            CapabilitySet(named: $0)
        })

    /// The program of the process that reads archives for the builder: it takes open files, and makes threads and memory.
    public static func readerProgram(architecture: Architecture, kernel: KernelVersion)
        throws(PolicyError) -> SeccompProgram
    {
        let profile = try SeccompProfile(
            parsing: PackageResources.reader_json, named: "policies/reader.json")
        let target = SeccompTarget(
            architecture: architecture, kernel: kernel, capabilities: CapabilitySet([]))
        return try SeccompProgram(profile, for: target)
    }

    /// The program for RUNs under this policy on `architecture` and `kernel`.
    ///
    /// - Parameter watching: calls that the supervisor is asked about where the policy allows them.
    public func program(
        architecture: Architecture, kernel: KernelVersion,
        denials: SeccompProgram.Denials = .errno, watching: Set<String> = []
    ) throws(PolicyError) -> SeccompProgram {
        let target = SeccompTarget(
            architecture: architecture, kernel: kernel, capabilities: capabilities)
        return try SeccompProgram(seccomp, for: target, denials: denials, watching: watching)
    }

    /// What a cache key takes of the policy: equal for policies that mean the same, on every machine.
    public var canonicalBytes: [UInt8] {
        var bytes = Array("lichen-policy 1\n".utf8)
        /// Each part is framed by its length, so that none can run into the next.
        func add(_ part: [UInt8]) {
            bytes += Array("\(part.count)\n".utf8) + part
        }
        add(seccomp.canonicalBytes)
        add(Array(String(capabilities.rawValue).utf8))
        for list in [paths.masked, paths.readOnly] {
            add(Array(String(list.count).utf8))
            for path in list { add(Array(path.string.utf8)) }
        }
        return bytes
    }
}
