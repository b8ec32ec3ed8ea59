import HTTP

/// An upload that a registry has begun.
struct UploadSession: Sendable {
    var url: HTTPURL
    /// What the registry wants a chunk to have at least, but for the last one.
    ///
    /// OCI distribution-spec v1.1, "Pushing a blob in chunks": `OCI-Chunk-Min-Length`.
    var minimumChunk: Int64 = 0
}

/// How large the next chunk of an upload is.
///
/// What a break costs is at most the chunk that it broke, and each chunk costs a round trip. So the first ones have a fortieth of
/// the blob; each break halves them, down to a four hundredth. Twenty breaks then cost less than a tenth of the blob:
/// 1/40 + 1/80 + 1/160 + 1/320 + 16/400. Smaller blobs than 40 MiB have no smaller chunks for it: there the round trips would cost more than the
/// breaks.
struct ChunkSizes: Sendable {
    /// At most this goes up in one piece.
    static let largestWhole: Int64 = 4 << 20
    static let bounds: ClosedRange<Int64> = 1 << 20...64 << 20
    static let smallest: Int64 = 16 << 10

    private(set) var next: Int64
    private let floor: Int64
    /// Whether the registry has not taken a chunk yet.
    private(set) var isUntried = true

    /// Nil where the blob goes up whole.
    init?(_ mode: UploadMode, blob size: Int64) {
        switch mode {
        case .whole: return nil
        case .chunks(let size):
            next = max(size, 1)
            floor = next
        case .automatic:
            if size <= Self.largestWhole { return nil }
            next = min(max(size / 40, Self.bounds.lowerBound), Self.bounds.upperBound)
            floor = max(size / 400, Self.smallest)
        }
    }

    mutating func arrived() { isUntried = false }

    mutating func broke() { next = max(next / 2, min(floor, next)) }
}
