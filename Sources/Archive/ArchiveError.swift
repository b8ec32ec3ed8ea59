import Linux
public import SystemPackage

/// What is wrong with a stream or an archive, and where.
///
/// Foreign bytes never trap: whatever they hold ends here, or in the source's own error.
public struct ArchiveError: Error, Equatable {
    /// What went wrong.
    public enum Problem: Equatable, Sendable {
        /// The stream ends before its format says so.
        case truncated
        /// The bytes contradict a check sum or the format itself; the text says which.
        case corrupt(String)
        /// Valid perhaps, but nothing that Lichen reads; the text names it.
        case unsupported(String)
        /// A named limit of `ArchiveLimits` or of the caller was passed.
        case limit(String, Int64)
        /// An entry that no tar can carry; the text says why.
        case unwritable(String)
        /// An entry's data is shorter or longer than its header says.
        case wrongSize(declared: Int64, actual: Int64)
        /// The kernel refused a call.
        case system(step: String, Errno)
        /// A library had no memory or refused its own parameters.
        case library(String)
    }

    public var problem: Problem
    /// The format that was being read or written.
    public var format: ArchiveFormat?
    /// The offset in the bytes of that format, where it is known.
    public var offset: Int64?
    /// The name of the entry, as bytes, where there is one.
    public var entry: [UInt8]?

    public init(
        _ problem: Problem, format: ArchiveFormat? = nil, offset: Int64? = nil,
        entry: [UInt8]? = nil
    ) {
        self.problem = problem
        self.format = format
        self.offset = offset
        self.entry = entry
    }

    /// The failure of the call that was made last on this thread.
    static func system(_ step: String, _ code: CInt) -> ArchiveError {
        ArchiveError(.system(step: step, Errno(rawValue: code)))
    }
}

/// A format of this module.
public enum ArchiveFormat: String, Equatable, Sendable {
    case gzip, zstd, xz, bzip2, tar
}

extension ArchiveError: CustomStringConvertible {
    /// One line, safe for a terminal whatever the entry is called.
    public var description: String {
        var text = format.map { "\($0.rawValue): " } ?? ""
        switch problem {
        case .truncated: text += "the stream ends early"
        case .corrupt(let what), .library(let what), .unwritable(let what): text += what
        case .unsupported(let what): text += "\(what) is not supported"
        case .limit(let what, let value): text += "more than the limit of \(value) \(what)"
        case .wrongSize(let declared, let actual):
            text += "\(declared) bytes of data were announced, \(actual) came"
        case .system(let step, let code): text += "\(step): \(code.inWords)"
        }
        if let entry { text += ", entry \(escaped(entry))" }
        if let offset { text += ", at byte \(offset)" }
        return text
    }
}

/// `bytes` in quotes, with everything but printable ASCII as `\xNN`.
private func escaped(_ bytes: [UInt8]) -> String {
    var text = "\""
    for byte in bytes.prefix(200) {
        if byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c {
            text.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            let hex = String(byte, radix: 16)
            text += hex.count == 1 ? "\\x0\(hex)" : "\\x\(hex)"
        }
    }
    return text + (bytes.count > 200 ? "…\"" : "\"")
}
