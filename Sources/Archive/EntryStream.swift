/// The entries of an archive on their way from the process that reads it to the one that uses them.
///
/// Frames, each with a byte that says what it is; numbers are little-endian, texts have their length before them:
///
///     e  u32 length, entry      an entry: its header, without the map of a sparse file
///     d  i64 offset, u32 length, bytes     data of the entry before
///     z                         the archive has been read to its end
///     f  u32 length, error      it was refused
///     y, n                      the answer to a question
///
/// Who writes may have been taken over by what it reads: `EntryStreamReader` believes nothing.
enum EntryStream {
    enum Frame: UInt8 {
        case entry = 0x65
        case data = 0x64
        case end = 0x7a
        case failure = 0x66
        case yes = 0x79
        case no = 0x6e
    }

    /// The most that one header takes: its names, and a PAX header's attributes.
    static let largestHeader = 2 * ArchiveLimits.longName + ArchiveLimits.paxHeader + (64 << 10)
    /// The most that one frame of data has.
    static let largestData = 4 << 20
}

/// Why the entries of another process can't be had.
public enum EntryStreamError: Error, Equatable {
    /// It ended before the archive did.
    case ended
    /// It says what it must not.
    case malformed(String)
}

/// Reads what a frame holds.
typealias FrameReader = ByteReader<EntryStreamError>

extension FrameReader {
    init(_ bytes: [UInt8]) { self.init(bytes) { .malformed($0) } }

    mutating func words(limit: Int) throws(EntryStreamError) -> String {
        String(decoding: try text(limit: limit), as: UTF8.self)
    }
}
