import Glibc
import SystemPackage

/// Reads the body of a request, once.
struct BodyReader {
    /// The source ended before its length.
    struct Short: Error {}

    private let body: HTTPBody
    private var position: Int64 = 0
    private var hasEnded = false

    init(_ body: HTTPBody) { self.body = body }

    /// Everything was handed to libcurl.
    var isAtEnd: Bool { hasEnded || body.length.map { position >= $0 } ?? false }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let left = body.length.map { $0 - position } ?? .max
        let wanted = Int(min(Int64(buffer.count), left))
        if wanted <= 0 { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
        let count = try copy(into: part)
        position += Int64(count)
        if count == 0 {
            if body.length != nil { throw Short() }
            hasEnded = true
        }
        return count
    }

    /// Whether the body can go on from `offset`: only where it is.
    ///
    /// libcurl would send a body a second time by itself when a kept connection breaks. A chunk of an upload that did arrive
    /// must not arrive twice, so whoever made the request decides about that.
    func isAt(_ offset: Int64) -> Bool { offset == position }

    private func copy(into part: UnsafeMutableRawBufferPointer) throws -> Int {
        switch body {
        case .none: return 0
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                part.copyMemory(
                    from: .init(rebasing: $0[Int(position)..<Int(position) + part.count]))
            }
            return part.count
        case .file(let file, let offset, _):
            while true {
                let count = pread(
                    file.rawValue, part.baseAddress, part.count, off_t(offset + position))
                if count >= 0 { return count }
                if errno != EINTR { throw Errno(rawValue: errno) }
            }
        case .stream(_, let fill): return try fill(part)
        }
    }
}
