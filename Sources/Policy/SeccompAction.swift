/// What the kernel does with a call. Ordered from the most to the least severe, as the kernel orders them.
public enum SeccompAction: Hashable, Sendable {
    case killProcess
    case killThread
    case trap
    /// The call isn't made and returns this error.
    case errno(UInt16)
    /// The call waits for the supervisor's answer.
    case notify
    /// A tracer decides; without one the call returns ENOSYS.
    case trace(UInt16)
    /// Made, and logged where the administrator logs.
    case log
    case allow

    /// What the filter returns: include/uapi/linux/seccomp.h
    var returnValue: UInt32 {
        switch self {
        case .killProcess: 0x8000_0000
        case .killThread: 0x0000_0000
        case .trap: 0x0003_0000
        case .errno(let number): 0x0005_0000 | UInt32(number)
        case .notify: 0x7FC0_0000
        case .trace(let message): 0x7FF0_0000 | UInt32(message)
        case .log: 0x7FFC_0000
        case .allow: 0x7FFF_0000
        }
    }

    /// Refused by the filter itself, whatever anybody else says.
    var isRefusal: Bool {
        switch self {
        case .killProcess, .killThread, .trap, .errno: true
        case .notify, .trace, .log, .allow: false
        }
    }

    /// The kernel makes the call, and asks nobody.
    public var isExecution: Bool { self == .allow || self == .log }
}

extension SeccompAction: CustomStringConvertible {
    public var description: String {
        switch self {
        case .killProcess: "kill-process"
        case .killThread: "kill-thread"
        case .trap: "trap"
        case .errno(let number): "errno \(number)"
        case .notify: "notify"
        case .trace(let message): "trace \(message)"
        case .log: "log"
        case .allow: "allow"
        }
    }
}

/// How a filter is installed: the flags of seccomp(2).
public struct SeccompFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let threadSync = SeccompFlags(rawValue: 1 << 0)
    public static let log = SeccompFlags(rawValue: 1 << 1)
    public static let allowSpeculation = SeccompFlags(rawValue: 1 << 2)
    /// Means something only together with a listener; the kernel refuses it alone.
    public static let waitKillable = SeccompFlags(rawValue: 1 << 5)
}
