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

/// The process's environment, read once where the command line becomes a request.
enum Environment {
    static var current: [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let line = entry.pointee {
            let text = String(cString: line)
            if let equals = text.firstIndex(of: "="), equals != text.startIndex {
                // The first of two is the one that getenv(3) finds.
                let name = String(text[..<equals])
                if result[name] == nil { result[name] = String(text[text.index(after: equals)...]) }
            }
            entry += 1
        }
        return result
    }
}
