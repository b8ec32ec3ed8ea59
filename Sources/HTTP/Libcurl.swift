import CCurl
import Glibc

/// libcurl, which is loaded when it is first needed.
enum Libcurl {
    /// Loads it; who needs it says where it is missing.
    static func loadAhead() { _ = ccurl_load() }

    /// Loads it. A machine without it is one that Lichen is not installed on: then this ends the process, as the dynamic linker would
    /// have at its start, and with the same words and status.
    static func require() {
        guard let problem = ccurl_load() else { return }
        let words = "lichen: error while loading shared libraries: \(String(cString: problem))\n"
        _ = words.utf8CString.withUnsafeBytes { write(2, $0.baseAddress, $0.count - 1) }
        exit(127)
    }
}
