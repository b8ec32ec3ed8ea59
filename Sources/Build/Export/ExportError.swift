public import Linux
public import OCI
import SystemPackage

/// Why an image could not be written out.
public struct ExportError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        /// A tar to a terminal.
        case terminal
        /// A destination that is no name for a file or a directory.
        case unusableDestination(String)
        /// A directory that holds something else than an OCI layout.
        case notLayout(String)
        /// A layout that can't be added to, and why.
        case damagedLayout(String, reason: String)
        /// Images for several platforms, where one alone has a place.
        case severalPlatforms
        /// A directory that must be empty and isn't.
        case notEmpty(String)
        case missingBlob(Digest)
        /// A blob of the store that isn't what its descriptor says.
        case damagedBlob(Digest, reason: String)
        /// A file of the image that can't be written out, and why.
        case unwritableFile([UInt8], reason: String)
        case system(SystemError)
    }

    public var problem: Problem
    public var hint: String?

    public init(_ problem: Problem, hint: String? = nil) {
        self.problem = problem
        self.hint = hint
    }

    public var description: String {
        switch problem {
        case .terminal: "a tar is not written to a terminal"
        case .unusableDestination(let path): "\"\(path)\" can't be the destination of an output"
        case .notLayout(let path): "\(path) is not empty, and no OCI layout"
        case .damagedLayout(let path, let reason): "the OCI layout \(path): \(reason)"
        case .notEmpty(let path): "\(path) is not empty"
        case .severalPlatforms: "a docker archive holds the image of one platform"
        case .missingBlob(let digest): "the store has no blob \(digest)"
        case .damagedBlob(let digest, let reason): "blob \(digest): \(reason)"
        case .unwritableFile(let path, let reason): "/\(printable(path)): \(reason)"
        case .system(let error): error.description
        }
    }

    static func during<Value: ~Copyable>(
        _ operation: @autoclosure () -> String, _ body: () throws(Errno) -> Value
    ) throws(ExportError) -> Value {
        do { return try body() } catch {
            throw ExportError(.system(SystemError(operation(), error)))
        }
    }
}
