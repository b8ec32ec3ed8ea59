public import Linux
public import SystemPackage

/// Why a sandbox could not be had, as a step in words, its errno, and what to do about it.
public struct SandboxError: Error, Equatable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        /// A step of the set-up failed.
        case setup(SystemError)
        /// This host does not allow what the isolation needs.
        case host(String)
        /// The image is made so that a sandbox can't stand in it.
        case image(String)
        /// The image has no directory where the command is to begin, or its user may not enter it.
        case workingDirectory(String, Errno)
        /// The command could not be executed.
        case exec(program: String, Errno)
        /// No such user or group in the image.
        case user(UserDatabase.Unknown)
        /// An id that the map does not hold.
        case unmappedID(UInt32)
        /// Ended by us, or by the kernel, at a limit.
        case limit(ReachedLimit)
        /// Killed from outside while it ran.
        case killed
    }

    public var problem: Problem
    public var hint: String?

    public init(_ problem: Problem, hint: String? = nil) {
        self.problem = problem
        self.hint = hint
    }

    init(_ reached: ReachedLimit) { self.init(.limit(reached), hint: reached.hint) }

    public var description: String {
        switch problem {
        case .setup(let error): error.description
        case .host(let words), .image(let words): words
        case .workingDirectory(let path, let errno):
            "the working directory \(path) can't be entered: \(errno.inWords)"
        case .exec(let program, let errno): "execute \(program): \(errno.inWords)"
        case .user(let unknown): unknown.description
        case .unmappedID(let id): "id \(id) is outside the id map"
        case .limit(let reached): reached.description
        case .killed: "the sandbox was killed from outside"
        }
    }
}

/// Runs `body` and wraps a failed system call as a set-up step.
func setup<Value: ~Copyable>(
    _ operation: @autoclosure () -> String, _ body: () throws(Errno) -> Value
) throws(SandboxError) -> Value {
    do { return try body() } catch { throw SandboxError(.setup(SystemError(operation(), error))) }
}

/// Passes a system error on as a set-up step.
func setup<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(SandboxError) -> Value
{
    do { return try body() } catch { throw SandboxError(.setup(error)) }
}
