import CDeflate

/// How gzip output is cut and laid out. Changing any of this changes every layer's digest.
enum GzipBlock {
    /// Bytes of input in each member of the output.
    ///
    /// The members share no history, which at level 1 costs 0.2 % of the size for a Debian
    /// system's files (0.9 % at 128 KiB, 0.4 % at 256 KiB, 0.1 % at 1 MiB), while the buffers
    /// grow with it.
    static let inputSize = 512 << 10

    /// No flags, no time, no name; "unknown" as the system, so that no platform shows.
    static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
    static let trailerSize = 8

    /// Room that every member fits in, at any level.
    static let outputSize =
        header.count + libdeflate_deflate_compress_bound(nil, inputSize) + trailerSize

    /// Compresses `input` as one member and returns how long it is.
    static func compress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        with compressor: OpaquePointer
    ) -> Int {
        output.copyBytes(from: header)
        let room = UnsafeMutableRawBufferPointer(rebasing: output[header.count...])
        let length = libdeflate_deflate_compress(
            compressor, input.baseAddress, input.count, room.baseAddress,
            room.count - trailerSize)
        let trailer =
            UInt64(libdeflate_crc32(0, input.baseAddress, input.count))
            | UInt64(input.count) << 32
        room.storeBytes(of: trailer.littleEndian, toByteOffset: length, as: UInt64.self)
        return header.count + length + trailerSize
    }
}
