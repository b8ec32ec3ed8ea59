import Limits

/// Bounds on what a foreign archive may ask of us, each with the reason for its size.
public enum ArchiveLimits {
    /// Bytes of a path: Linux's PATH_MAX.
    public static let path = 4096
    /// Bytes of one component: Linux's NAME_MAX.
    public static let component = 255
    /// What stands before a name in the entry that hides it in lower layers; such a name is never one of a file, and is longer
    /// by this. OCI image-spec v1.1, layer.md, "Whiteouts".
    static let whiteoutPrefix: StaticString = ".wh."
    /// Bytes of a link target: Linux's PATH_MAX.
    public static let linkTarget = 4096
    /// Bytes of one GNU long name record, which may carry padding.
    public static let longName = 8192
    /// Bytes of one PAX header: room for a few xattrs of the largest size.
    public static let paxHeader = Limit.paxHeader
    /// Bytes of all PAX headers of an archive: one of 200 bytes for each entry we take.
    public static let paxTotal = Limit.paxHeaders
    /// Entries of an archive: five times the largest layers in use.
    public static let entries = Limit.archiveEntries
    /// Extended attributes of one entry.
    public static let xattrs = Limit.attributes
    /// Bytes of an xattr's name: Linux's XATTR_NAME_MAX.
    public static let xattrName = 255
    /// Bytes of an xattr's value: Linux's XATTR_SIZE_MAX.
    public static let xattrValue = 65536
    /// Regions of a sparse file.
    public static let sparseRegions = Limit.sparseRegions
    /// Bytes after the end of an archive. GNU tar pads to 10 KiB, some tapes to 1 MiB.
    public static let trailing = Limit.trailingBytes
    /// Bytes of a gzip member's header, with its name and comment.
    public static let gzipHeader = Limit.gzipHeader
    /// The largest window of a zstd frame as a power of two: what decoders must not refuse is
    /// 8 MiB (23), `zstd --long` writes 128 MiB (27). The buffer is as large as the frame says.
    public static let zstdWindowLog: CInt = 27
}

/// Bounds of one decompression, against small files that unfold to huge ones.
public struct DecompressionLimits: Codable, Equatable, Sendable {
    /// Bytes that may come out.
    public var maximumOutput: Int64
    /// Bytes out for each byte in, once `ratioAppliesAfter` bytes have come out.
    ///
    /// Ordinary layers stay below 20, text below 200; a run of zeros reaches 1,032 with gzip, and layers of zeros are honest: a
    /// preallocated file. With zstd they reach tens of thousands. So for layers only the output counts, and the disk's end.
    public var maximumRatio: Int64
    /// Bytes that may come out at any ratio: layers with preallocated files of zeros are honest.
    public var ratioAppliesAfter: Int64

    public init(
        maximumOutput: Int64 = 1 << 40, maximumRatio: Int64 = 1 << 16,
        ratioAppliesAfter: Int64 = 1 << 30
    ) {
        self.maximumOutput = maximumOutput
        self.maximumRatio = maximumRatio
        self.ratioAppliesAfter = ratioAppliesAfter
    }

    /// For blobs that we packed ourselves, whatever they hold.
    public static let unlimited = DecompressionLimits(maximumOutput: .max, maximumRatio: .max)

    /// Throws when `output` bytes from `input` bytes are too many.
    func check(input: Int64, output: Int64, format: ArchiveFormat) throws(ArchiveError) {
        if output > maximumOutput {
            throw ArchiveError(
                .limit("decompressed bytes", maximumOutput), format: format, offset: input)
        }
        if output > ratioAppliesAfter, output / max(input, 1) > maximumRatio {
            throw ArchiveError(
                .limit("bytes for each compressed byte", maximumRatio), format: format,
                offset: input)
        }
    }
}
