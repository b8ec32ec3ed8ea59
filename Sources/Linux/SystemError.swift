public import SystemPackage

/// A system call that failed: what was being done, in words, and why.
///
/// `operation` is in the form "open the store's lock"; paths in it are made printable by the caller.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    public var operation: String
    public var errno: Errno

    public init(_ operation: String, _ errno: Errno) {
        self.operation = operation
        self.errno = errno
    }

    public var description: String { "\(operation): \(errno.inWords)" }
}

extension Errno {
    /// The system's text with a small first letter, as it stands after a colon.
    public var inWords: String {
        let text = description
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// A negative result of the C shim as an error; anything else passes.
    @inlinable
    static func check<Value: SignedInteger>(_ result: Value) throws(Errno) -> Value {
        if result < 0 { throw Errno(rawValue: CInt(-result)) }
        return result
    }
}

/// Runs `body` and names what it was doing when it fails.
public func during<Value: ~Copyable>(
    _ operation: @autoclosure () -> String, _ body: () throws(Errno) -> Value
) throws(SystemError) -> Value {
    do { return try body() } catch { throw SystemError(operation(), error) }
}
