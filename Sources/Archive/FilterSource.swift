import CArchive
import Glibc

/// The decompressed bytes of an xz or bzip2 stream, by libarchive.
///
/// These come only with `ADD` of a local archive and with tar contexts; layers are never packed
/// so. Concatenated streams are one; what follows the last is left to libarchive, which passes
/// over what it doesn't know after bzip2, as `tar` does.
final class FilterSource: ByteSource {
    private let feed: Feed
    private let format: ArchiveFormat
    private let limits: DecompressionLimits
    private let archive: OpaquePointer
    private var total: Int64 = 0

    /// Loads libarchive, which a process that is shut in could not any more. One that is not there is an error where it is needed.
    static func prepare() { _ = carchive_load() }

    init(_ input: InputWindow, format: ArchiveFormat, limits: DecompressionLimits) throws {
        if let problem = carchive_load() {
            throw ArchiveError(.library(String(cString: problem)), format: format)
        }
        guard let archive = carchive_read_new() else {
            throw ArchiveError(.library("no memory"), format: format)
        }
        self.archive = archive
        self.format = format
        self.limits = limits
        feed = Feed(input)
        // Set, not guessed: else libarchive unpacks whatever it finds inside, too.
        carchive_read_append_filter(
            archive, format == .xz ? ARCHIVE_FILTER_XZ : ARCHIVE_FILTER_BZIP2)
        carchive_read_support_format_raw(archive)
        var entry: OpaquePointer?
        guard
            carchive_read_open(
                archive, Unmanaged.passUnretained(feed).toOpaque(),
                { Unmanaged<Feed>.fromOpaque($1!).takeUnretainedValue().lend($2) })
                == ARCHIVE_OK,
            carchive_read_next_header(archive, &entry) == ARCHIVE_OK
        else { throw failure() }
    }

    deinit { carchive_read_free(archive) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = carchive_read_data(archive, buffer.baseAddress, buffer.count)
        if count < 0 { throw failure() }
        if count == 0 { try feed.drain() }
        total += Int64(count)
        try limits.check(input: feed.input.offset, output: total, format: format)
        return count
    }

    private func failure() -> any Error {
        if let error = feed.error { return error }
        let text = carchive_error_string(archive).map { String(cString: $0) } ?? "damaged data"
        let problem: ArchiveError.Problem =
            feed.hasEnded ? .truncated : .corrupt(text)
        return ArchiveError(problem, format: format, offset: feed.input.offset)
    }

    /// What libarchive's callbacks see. It outlives the archive, which is freed first.
    private final class Feed {
        let input: InputWindow
        var lent = 0
        var hasEnded = false
        var error: (any Error)?

        init(_ input: InputWindow) { self.input = input }

        /// Reads the rest of the source, so that a hash of it is whole.
        func drain() throws {
            input.consume(lent)
            lent = 0
            while try input.refill() { input.consume(input.ready.count) }
        }

        /// Gives libarchive what the window holds, without a copy.
        func lend(_ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?) -> la_ssize_t {
            do {
                input.consume(lent)
                hasEnded = try !input.refill()
                lent = input.ready.count
                buffer?.pointee = input.ready.baseAddress
                return la_ssize_t(lent)
            } catch {
                self.error = error
                return la_ssize_t(ARCHIVE_FATAL)
            }
        }
    }
}
