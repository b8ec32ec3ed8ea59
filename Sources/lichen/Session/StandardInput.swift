import Build
import Dockerfile
import Linux
import SystemPackage

/// What comes through the process's standard input.
enum StandardInput {
    /// What stands for it on the command line.
    static let word = "-"

    /// A Dockerfile, where `file` is `-`; nil else. What is too large for one is left to the parser.
    static func dockerfile(ifNamedBy file: String?) throws -> [UInt8]? {
        guard file == word else { return nil }
        do throws(Errno) {
            return try FileDescriptor.standardInput.readAll(limit: Limits.fileSize + 1)
        } catch {
            throw BuildError(.input, "read the Dockerfile from standard input: \(error.inWords)")
        }
    }
}
