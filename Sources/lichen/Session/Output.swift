import Glibc
import Linux
import SystemPackage

/// The process's standard output and error. A reader that went away is no error of ours: the exit status still counts.
enum Output {
    /// Writes a line to standard output.
    static func line(_ text: String) { write(text, newlineTo: .standardOutput) }

    /// Writes a line to standard error.
    static func errorLine(_ text: String) { write(text, newlineTo: .standardError) }

    /// Writes to standard error, as it is.
    static func error(_ text: String) {
        try? FileDescriptor.standardError.writeFully(Array(text.utf8))
    }

    private static func write(_ text: String, newlineTo descriptor: FileDescriptor) {
        var bytes = Array(text.utf8)
        if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        try? descriptor.writeFully(bytes)
    }
}
