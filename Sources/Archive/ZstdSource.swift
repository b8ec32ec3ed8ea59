import CZstd

/// The decompressed bytes of a zstd stream of any number of frames.
///
/// Skippable frames are passed over, so zstd:chunked layers read as what they hold. Windows
/// above `ArchiveLimits.zstdWindowLog` and frames that need a dictionary are errors.
///
/// RFC 8878.
final class ZstdSource: ByteSource {
    private let input: InputWindow
    private let limits: DecompressionLimits
    private let context: OpaquePointer
    private var insideFrame = false
    private var total: Int64 = 0

    init(_ input: InputWindow, limits: DecompressionLimits) throws {
        guard let context = ZSTD_createDCtx() else {
            throw ArchiveError(.library("no memory"), format: .zstd)
        }
        self.input = input
        self.limits = limits
        self.context = context
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ArchiveLimits.zstdWindowLog)
    }

    deinit { ZSTD_freeDCtx(context) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos == 0 {
            let hasInput = try input.refill()
            // With no input left the decoder may still hold output of the frame.
            if !hasInput, !insideFrame { return 0 }
            var given = ZSTD_inBuffer(
                src: input.ready.baseAddress, size: input.ready.count, pos: 0)
            let answer = ZSTD_decompressStream(context, &output, &given)
            input.consume(given.pos)
            if ZSTD_isError(answer) != 0 {
                throw failure(.corrupt(String(cString: ZSTD_getErrorName(answer))))
            }
            insideFrame = answer != 0
            if !hasInput, insideFrame, output.pos == 0 { throw failure(.truncated) }
        }
        total += Int64(output.pos)
        try limits.check(input: input.offset, output: total, format: .zstd)
        return output.pos
    }

    private func failure(_ problem: ArchiveError.Problem) -> ArchiveError {
        ArchiveError(problem, format: .zstd, offset: input.offset)
    }
}
