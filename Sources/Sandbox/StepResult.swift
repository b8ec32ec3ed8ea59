public import Linux
public import Policy

/// How a RUN ended, and what its supervisor has on record.
public struct StepResult: Sendable {
    public enum Supervision: Sendable, Equatable {
        /// Nothing was wanted of it.
        case notWanted
        case done
        /// It could not be had here, and why, in words: the policy held all the same, but nothing is on record.
        case unavailable(reason: String)
    }

    public var status: ExitStatus
    public var supervision: Supervision
    /// In the order of their first occurrence.
    public var denials: [Denial]
    public var missingIDs: [MissingID]
    public var refusedAddresses: [RefusedAddress]
    /// How many calls are in none of the lists, because the lists were full.
    public var unrecorded: Int
    /// What the command may have failed for: "reached its limit of 4096 processes".
    public var reachedLimit: String?
    /// What the command saw as /proc.
    public var proc = ProcView.fresh

    public init(
        status: ExitStatus, supervision: Supervision = .notWanted, denials: [Denial] = [],
        missingIDs: [MissingID] = [], refusedAddresses: [RefusedAddress] = [], unrecorded: Int = 0
    ) {
        self.refusedAddresses = refusedAddresses
        self.status = status
        self.supervision = supervision
        self.denials = denials
        self.missingIDs = missingIDs
        self.unrecorded = unrecorded
    }
}

/// Who made a call.
public struct Caller: Sendable, Hashable {
    /// The program's path as the RUN sees it; empty if it could not be read. Bytes, for it may be anything.
    public var executable: [UInt8]
    /// Its arguments; the list is cut at 4 KiB.
    public var arguments: [[UInt8]]

    public init(executable: [UInt8], arguments: [[UInt8]]) {
        self.executable = executable
        self.arguments = arguments
    }
}

/// An argument of a call, decoded.
public enum CallArgument: Sendable, Hashable {
    case number(Int64)
    case address(UInt64)
    /// A text of the caller's memory; `isCut` where it is longer.
    case text([UInt8], isCut: Bool)
}

/// A call that the policy refused, once for each call, rule and program.
public struct Denial: Sendable, Hashable {
    /// Nil where our table has no such call.
    public var call: String?
    public var number: UInt32
    /// Of the first such call, as the `caller`'s.
    public var arguments: [CallArgument]
    public var caller: Caller
    /// What in the policy decided.
    public var reason: Verdict.Reason
    public var count: Int
}

/// A call that wanted an id which the id map does not have, once for each call, ids and program.
public struct MissingID: Sendable, Hashable {
    public var call: String
    /// Of the first such call.
    public var arguments: [CallArgument]
    /// The ids that are missing.
    public var uids, gids: [UInt32]
    public var caller: Caller
    public var count: Int
}

/// A call that wanted to reach an address that is refused to a RUN, once for each call, address, port and program.
public struct RefusedAddress: Sendable, Hashable {
    public var call: String
    /// Of the first such call.
    public var arguments: [CallArgument]
    public var address: IPAddress
    public var port: UInt16
    public var caller: Caller
    public var count: Int
}
