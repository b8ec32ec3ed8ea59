import Archive

// What the builder and its reader of archives say to each other: a request as JSON over a socket pair, with the descriptors
// of the archive and of a pipe; the answer comes through the pipe, as `EntryStream` has it.

struct ArchiveRequest: Codable, Sendable {
    enum Question: Codable, Sendable {
        /// Whether ADD would unpack it.
        case isArchive
        case entries(DecompressionLimits)
    }

    var question: Question
    /// Whether it is a file that can be read at any offset; else bytes are taken as they come.
    var isFile: Bool
    /// Bytes that were taken before, to see what it is.
    var start: [UInt8] = []
}
