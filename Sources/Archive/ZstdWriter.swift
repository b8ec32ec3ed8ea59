import CZstd

/// Compresses to one zstd frame on several threads; the bytes don't depend on how many.
///
/// libzstd cuts the input into jobs, whose size and overlap are fixed here, and says that
/// with at least one worker their number changes nothing. The frame has a check sum, and no
/// content size, as that isn't known when it starts.
public final class ZstdWriter: ByteSink {
    /// zstd's own default: about gzip's size less a tenth, at several times its speed.
    public static let defaultLevel = 3
    /// Bytes of a job. Half as much costs 1.2 % of the size, twice as much saves 0.7 %; memory
    /// grows with it.
    private static let jobSize: CInt = 4 << 20

    /// More threads than this are not used: each takes 7 to 15 MiB, and four are at level 3 about as
    /// fast as the hash of the input.
    public static let mostThreads = 4

    private let sink: any ByteSink
    private let context: OpaquePointer
    private let output: UnsafeMutableRawBufferPointer

    public init(to sink: any ByteSink, level: Int = defaultLevel, threads: Int) throws {
        guard (1...19).contains(level) else {
            throw ArchiveError(.unsupported("level \(level)"), format: .zstd)
        }
        guard let context = ZSTD_createCCtx() else {
            throw ArchiveError(.library("no memory"), format: .zstd)
        }
        self.sink = sink
        self.context = context
        output = .allocate(byteCount: ZSTD_CStreamOutSize(), alignment: 64)
        let workers = min(max(threads, 1), Self.mostThreads)
        for (parameter, value) in [
            (ZSTD_c_compressionLevel, CInt(level)), (ZSTD_c_checksumFlag, 1),
            (ZSTD_c_nbWorkers, CInt(workers)), (ZSTD_c_jobSize, Self.jobSize),
        ] {
            try Self.check(ZSTD_CCtx_setParameter(context, parameter, value))
        }
    }

    deinit {
        // Waits for its workers.
        ZSTD_freeCCtx(context)
        output.deallocate()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while input.pos < input.size { _ = try step(&input, ZSTD_e_continue) }
    }

    public func finish() throws {
        var input = ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try step(&input, ZSTD_e_end) != 0 {}
        try sink.finish()
    }

    private func step(
        _ input: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective
    ) throws -> Int {
        var out = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let answer = ZSTD_compressStream2(context, &out, &input, directive)
        try Self.check(answer)
        if out.pos > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: output[..<out.pos])) }
        return answer
    }

    private static func check(_ answer: Int) throws(ArchiveError) {
        if ZSTD_isError(answer) != 0 {
            throw ArchiveError(
                .library(String(cString: ZSTD_getErrorName(answer))), format: .zstd)
        }
    }
}
