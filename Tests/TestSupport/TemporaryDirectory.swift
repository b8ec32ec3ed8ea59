import FoundationEssentials
import Glibc

/// A directory that lives as long as this value.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/lichen-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw TestSupportError("mkdtemp in \(base)") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit {
        // A leftover in a temporary directory fails no test.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of an entry.
    public func path(_ name: String) -> String { path + "/" + name }

    /// Writes a file and gives its path.
    @discardableResult
    public func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes as? [UInt8] ?? Array(bytes)).write(to: URL(filePath: path(name)))
        return path(name)
    }

    public func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path(name))))
    }
}

/// A test's surroundings that could not be made, and why.
public struct TestSupportError: Error, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
