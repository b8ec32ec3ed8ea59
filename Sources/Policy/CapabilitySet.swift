/// Capabilities of a process, as the kernel's 64-bit mask.
public struct CapabilitySet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The one capability of this name, with or without `CAP_`; nil where the kernel has none such.
    public init?(named name: String) {
        let upper = name.uppercased()
        let short = upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
        guard let number = Self.kernelNames.firstIndex(of: short) else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// All that the kernel knew when this was written.
    public static let all = CapabilitySet(rawValue: 1 << UInt64(kernelNames.count) - 1)

    /// The names, with `CAP_`, in the kernel's order. Bits without a name show as `CAP_<number>`.
    public var names: [String] {
        (0..<64).filter { rawValue & (1 << UInt64($0)) != 0 }.map { number in
            "CAP_"
                + (number < Self.kernelNames.count ? Self.kernelNames[number] : String(number))
        }
    }

    /// By number, from 0. include/uapi/linux/capability.h
    static let kernelNames = """
        CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE \
        NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT \
        SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL \
        SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
        """.split(separator: " ").map(String.init)
}

extension CapabilitySet {
    /// Reads `{"capabilities": ["CAP_CHOWN", ...]}`.
    public init(parsing bytes: [UInt8], named source: String) throws(PolicyError) {
        let place = Place(source: source)
        var fields = try FieldReader(JSONNode(parsing: bytes, source: source), at: place)
        _ = try fields.string("comment")
        guard let names = try fields.strings("capabilities") else {
            throw PolicyError(.missing, at: place.field("capabilities"))
        }
        try fields.finish()
        try self.init(names: names, at: place.field("capabilities"))
    }

    /// The union of named capabilities; a name given twice is refused.
    init(names: [String], at place: Place) throws(PolicyError) {
        var set: CapabilitySet = []
        for (index, name) in names.enumerated() {
            guard let capability = CapabilitySet(named: name) else {
                throw PolicyError(.unknownValue(name, of: "capability"), at: place.element(index))
            }
            guard set.insert(capability).inserted else {
                throw PolicyError(
                    .contradiction("\(name) is given twice"), at: place.element(index))
            }
        }
        self = set
    }
}
