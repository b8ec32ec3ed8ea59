import CDeflate
import CISAL

/// The inflated bytes of a gzip stream of any number of members.
///
/// ISA-L inflates and hashes; headers and trailers are read here, so that each rule is ours:
/// reserved flags, a wrong check sum or length, and anything but zeros after the last member are
/// errors. A stream that ends inside a member is truncated.
///
/// RFC 1952.
final class GzipSource: ByteSource {
    private let input: InputWindow
    private let limits: DecompressionLimits
    private let state: UnsafeMutablePointer<inflate_state>
    private var phase = Phase.header
    private var memberStart: Int64 = 0
    private var total: Int64 = 0

    private enum Phase { case header, body, end }

    init(_ input: InputWindow, limits: DecompressionLimits) {
        self.input = input
        self.limits = limits
        state = .allocate(capacity: 1)
        isal_inflate_init(state)
    }

    deinit { state.deallocate() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            switch phase {
            case .end: return 0
            case .header: try readHeader()
            case .body:
                let count = try inflate(into: buffer)
                if count > 0 { return count }
            }
        }
    }

    // MARK: Body

    private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let room = min(buffer.count, Self.largestCall)
        let output = buffer.bindMemory(to: UInt8.self)
        state.pointee.next_out = output.baseAddress
        state.pointee.avail_out = UInt32(room)
        while state.pointee.avail_out == room {
            if try !input.refill() {
                throw failure(.truncated)
            }
            let ready = input.ready
            let given = min(ready.count, Self.largestCall)
            // ISA-L takes a pointer to mutable bytes and only reads them.
            state.pointee.next_in = UnsafeMutableRawPointer(mutating: ready.baseAddress)?
                .assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_in = UInt32(given)
            let answer = isal_inflate(state)
            let left = Int(state.pointee.avail_in)
            // After an error ISA-L's count of what it took means nothing: it may have given back more than it got.
            guard answer >= 0, left <= given else {
                throw failure(.corrupt("damaged deflate data"))
            }
            input.consume(given - left)
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                let count = room - Int(state.pointee.avail_out)
                try account(count)
                try readTrailer()
                return count
            }
        }
        let count = room - Int(state.pointee.avail_out)
        try account(count)
        return count
    }

    private func account(_ count: Int) throws {
        total += Int64(count)
        try limits.check(input: input.offset, output: total, format: .gzip)
    }

    // MARK: Frame

    /// Check sum and length. Their first bytes may already be in ISA-L's bit buffer.
    private func readTrailer() throws {
        var trailer: UInt64 = 0
        var have = 0
        let bits = state.pointee.read_in_length
        if bits >= 8 {
            have = min(Int(bits / 8), 8)
            trailer = state.pointee.read_in >> UInt64(bits % 8)
            if have < 8 { trailer &= (1 << UInt64(have * 8)) - 1 }
        }
        if have < 8 {
            guard try input.require(8 - have) else { throw failure(.truncated) }
            for byte in input.ready.prefix(8 - have) {
                trailer |= UInt64(byte) << UInt64(have * 8)
                have += 1
            }
            input.consume(8 - Int(max(bits, 0) / 8))
        }
        if UInt32(truncatingIfNeeded: trailer) != state.pointee.crc {
            throw failure(.corrupt("wrong check sum"))
        }
        if UInt32(truncatingIfNeeded: trailer >> 32) != state.pointee.total_out {
            throw failure(.corrupt("wrong length"))
        }
        phase = .header
    }

    private func readHeader() throws {
        if input.offset > 0, try atPadding() { return phase = .end }
        memberStart = input.offset
        guard let length = try GzipHeader.length(in: input) else { throw failure(.truncated) }
        input.consume(length)
        isal_inflate_reset(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR)
        phase = .body
    }

    /// Whether nothing but zeros is left; reads them all.
    private func atPadding() throws -> Bool {
        guard try input.refill() else { return true }
        if input.ready[0] == 0x1f { return false }
        repeat {
            guard input.ready.allSatisfy({ $0 == 0 }) else {
                throw failure(.corrupt("bytes that are not gzip follow the last member"))
            }
            input.consume(input.ready.count)
        } while try input.refill()
        return true
    }

    private func failure(_ problem: ArchiveError.Problem) -> ArchiveError {
        ArchiveError(problem, format: .gzip, offset: input.offset)
    }

    /// ISA-L counts in 32 bits.
    private static let largestCall = 1 << 30
}

/// The header of a gzip member.
enum GzipHeader {
    /// Its length in bytes, when the window starts with a whole and valid one; nil when the
    /// stream ends inside it.
    static func length(in input: InputWindow) throws -> Int? {
        guard try input.require(fixed) else { return nil }
        let flags = input.ready[3]
        guard input.ready[0] == 0x1f, input.ready[1] == 0x8b else {
            throw refused(.corrupt("not a gzip member"), input)
        }
        guard input.ready[2] == 8 else { throw refused(.unsupported("this method"), input) }
        guard flags & 0xe0 == 0 else { throw refused(.corrupt("reserved flags are set"), input) }
        var length = fixed
        if flags & extra != 0 {
            guard try input.require(length + 2) else { return nil }
            length += 2 + Int(input.ready[length]) + Int(input.ready[length + 1]) << 8
            guard try input.require(length) else { return nil }
        }
        for flag in [name, comment] where flags & flag != 0 {
            guard let end = try terminator(in: input, after: length) else { return nil }
            length = end + 1
        }
        if flags & check != 0 {
            guard try input.require(length + 2) else { return nil }
            let sum = libdeflate_crc32(0, input.ready.baseAddress, length)
            let stored = UInt32(input.ready[length]) | UInt32(input.ready[length + 1]) << 8
            if sum & 0xffff != stored {
                throw refused(.corrupt("wrong check sum of a header"), input)
            }
            length += 2
        }
        return length
    }

    private static let fixed = 10
    private static let check: UInt8 = 2
    private static let extra: UInt8 = 4
    private static let name: UInt8 = 8
    private static let comment: UInt8 = 16

    private static func terminator(in input: InputWindow, after start: Int) throws -> Int? {
        var searched = start
        while true {
            if searched < input.ready.count,
                let end = input.ready[searched...].firstIndex(of: 0)
            {
                return end
            }
            searched = max(searched, input.ready.count)
            if searched >= ArchiveLimits.gzipHeader {
                throw refused(
                    .limit("bytes of a header", Int64(ArchiveLimits.gzipHeader)), input)
            }
            if try !input.require(searched + 1) { return nil }
        }
    }

    private static func refused(
        _ problem: ArchiveError.Problem, _ input: InputWindow
    ) -> ArchiveError {
        ArchiveError(problem, format: .gzip, offset: input.offset)
    }
}
