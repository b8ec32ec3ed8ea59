public import Archive
import Limits
import Linux

/// Bounds on what an archive may ask for that is a build context. Those on names and headers are `ArchiveLimits`.
public enum ContextLimits {
    /// Entries: five times the files of a Linux kernel with all its history checked out.
    public static let entries = Limit.contextEntries
    /// Bytes of all files together, with the holes of sparse ones.
    public static let bytes = Limit.contextBytes
    /// Bytes of all extended attributes, which are kept in memory.
    public static let attributes = Limit.contextAttributes

    public static let decompression = DecompressionLimits(maximumOutput: bytes + bytes / 16)
}

/// Why an archive can't be a build context, and at which entry.
public struct ContextArchiveError: Error, Equatable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        /// The name or the target of a hard link leaves the context.
        case leavesContext
        /// It lies below something that is no directory, perhaps a link.
        case notInDirectory
        /// It stands in the archive as a directory before.
        case replacesDirectory
        /// A hard link to what the archive does not hold so far.
        case missingLinkTarget
        case device
        /// More than the named limit.
        case limit(String)
    }

    public var problem: Problem
    public var path: [UInt8]

    public var description: String {
        "\(printable(path)): \(words)"
    }

    private var words: String {
        switch problem {
        case .leavesContext: "the name leaves the build context"
        case .notInDirectory: "what it lies in is no directory"
        case .replacesDirectory: "it is a directory before, and something else now"
        case .missingLinkTarget: "a hard link to what the archive does not hold before it"
        case .device: "a device can't be in a build context"
        case .limit(let what): "the archive has more than \(what)"
        }
    }
}
