import SystemPackage

public import Linux
public import OCI

/// What is wrong with the store.
public struct StoreError: Error, Equatable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        /// The directory belongs to somebody else, or others may enter it.
        case notPrivate(String)
        /// Written by a newer Lichen.
        case newerVersion(String)
        /// A file that is not as the store writes it.
        case damaged(String)
        /// What came is not what its digest says.
        case wrongDigest(expected: Digest, actual: Digest)
        case wrongSize(Digest, expected: Int64, actual: Int64)
        case missingBlob(Digest)
        case unknownImage(String)
        /// Another process is building in the store.
        case busy
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
        case .notPrivate(let why): "the store \(why)"
        case .newerVersion(let version):
            "the store was written by a newer Lichen (version \(version))"
        case .damaged(let what): "the store is damaged: \(what)"
        case .wrongDigest(let expected, let actual):
            "content of \(expected) has the digest \(actual)"
        case .wrongSize(let digest, let expected, let actual):
            "\(digest) has \(actual) bytes instead of \(expected)"
        case .missingBlob(let digest): "the store has no blob \(digest)"
        case .unknownImage(let name): "the store has no image \(name)"
        case .busy: "a build is running in this store"
        case .system(let error): error.description
        }
    }

    static func during<Value: ~Copyable>(
        _ operation: @autoclosure () -> String, _ body: () throws(Errno) -> Value
    ) throws(StoreError) -> Value {
        do { return try body() } catch {
            throw StoreError(.system(SystemError(operation(), error)))
        }
    }
}
