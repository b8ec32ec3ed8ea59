public import Linux

/// What the supervisor of a step does beside the kernel's own enforcement. Nothing wanted: no supervisor.
public struct StepSupervision: Sendable, Equatable {
    /// The ids that a RUN can have.
    public struct IDMaps: Sendable, Equatable {
        public var uid, gid: IDMap

        public init(uid: IDMap, gid: IDMap) {
            self.uid = uid
            self.gid = gid
        }
    }

    /// Calls that the policy refuses with EPERM are on record: by whom, with which arguments, because of which rule.
    public var explainsDenials: Bool
    /// Calls that want an id which these maps don't have are refused as the kernel would, and on record.
    public var idMaps: IDMaps?
    /// The attributes in which a file's owner is on record are not seen by a RUN, nor changed by one but through chown.
    public var hidesOwnerRecords: Bool
    /// Where a RUN can't connect to, but to name servers.
    public var refusedAddresses: [IPAddress]

    public init(
        explainsDenials: Bool = false, idMaps: IDMaps? = nil, hidesOwnerRecords: Bool = false,
        refusedAddresses: [IPAddress] = []
    ) {
        self.refusedAddresses = refusedAddresses
        self.explainsDenials = explainsDenials
        self.idMaps = idMaps
        self.hidesOwnerRecords = hidesOwnerRecords
    }

    public static let none = StepSupervision()

    var refusesAddresses: Bool { !refusedAddresses.isEmpty }

    /// Whether a step needs a supervisor at all.
    public var isWanted: Bool { self != .none }
}

extension StepSupervision {
    static let ownerCalls: Set = ["chown", "fchown", "lchown", "fchownat"]

    static let idCalls: Set = [
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
    ]

    static let attributeCalls: Set = [
        "getxattr", "lgetxattr", "fgetxattr", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
        "lremovexattr", "fremovexattr", "listxattr", "llistxattr", "flistxattr", "getxattrat",
        "setxattrat", "listxattrat", "removexattrat",
    ]

    /// The calls that the filter has to ask about.
    var watchedCalls: Set<String> {
        var calls: Set<String> = []
        if idMaps != nil { calls.formUnion(Self.ownerCalls.union(Self.idCalls)) }
        if hidesOwnerRecords { calls.formUnion(Self.ownerCalls.union(Self.attributeCalls)) }
        if refusesAddresses { calls.formUnion(AddressRules.watched) }
        return calls
    }
}
