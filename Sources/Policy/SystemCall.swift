/// A call as a filter sees it: `struct seccomp_data` without the instruction pointer.
public struct SystemCall: Hashable, Sendable {
    public var number: UInt32
    /// An AUDIT_ARCH number.
    public var architecture: UInt32
    /// Six registers.
    public var arguments: [UInt64]

    /// Missing arguments are 0, as far as the filter can tell.
    public init(number: UInt32, architecture: UInt32, arguments: [UInt64] = []) {
        self.number = number
        self.architecture = architecture
        self.arguments = Array((arguments + [0, 0, 0, 0, 0, 0]).prefix(6))
    }
}

/// What a program says to a call, and why.
public struct Verdict: Equatable, Sendable {
    public enum Reason: Hashable, Sendable {
        case rule(RuleOrigin)
        /// No rule speaks of the call.
        case defaultAction
        /// Our table has no call of this number: it is newer than we are, or there is none.
        case unknownCall
        /// A 32-bit or x32 call.
        case foreignABI
        /// The number -1: a tracer has answered the call itself, nothing is executed.
        case answeredByTracer
    }

    /// What the policy decides.
    public var action: SeccompAction
    public var reason: Reason
    /// Nil where our table has no such call.
    public var call: String?
}
