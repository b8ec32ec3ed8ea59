/// The SHA-256 of some content, as the specifications name it: `sha256:` and 64 lower-case hexadecimal digits.
///
/// It is 32 bytes in place, cheap to copy, to compare and to hash. No other algorithm names content here: a digest
/// that nobody checks would be worse than a refusal.
///
/// OCI image-spec v1.1, descriptor.md, "Digests".
public struct Digest: Hashable, Sendable {
    // Big-endian words, so that comparing them compares the hexadecimal text.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The 32 bytes that a hash function gave. Another count is a bug of the caller, and traps.
    public init(sha256 bytes: some Collection<UInt8>) {
        self.init(
            bytes.withContiguousStorageIfAvailable { Digest(UnsafeRawBufferPointer($0)) }
                ?? Array(bytes).withUnsafeBytes { Digest($0) })
    }

    private init(_ other: Digest) { self = other }

    private init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 32, "a SHA-256 has 32 bytes")
        func word(_ offset: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        words = (word(0), word(8), word(16), word(24))
    }

    /// Reads `sha256:` and exactly 64 lower-case hexadecimal digits; anything else is nil.
    public init?(_ text: some StringProtocol) {
        let prefix = "sha256:"
        guard text.utf8.count == prefix.utf8.count + 64, text.hasPrefix(prefix) else { return nil }
        self.init(hex: text.dropFirst(prefix.count))
    }

    /// Reads exactly 64 lower-case hexadecimal digits, the name of a blob's file in an OCI layout.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var high: UInt8?
        for character in hex.utf8 {
            guard let value = Self.value(ofHexDigit: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.init(sha256: bytes)
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for (index, word) in [words.0, words.1, words.2, words.3].enumerated() {
                raw.storeBytes(of: word.bigEndian, toByteOffset: index * 8, as: UInt64.self)
            }
            count = 32
        }
    }

    /// The 64 digits alone.
    public var hex: String {
        let digits: [UInt8] = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 64) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[2 * index] = digits[Int(byte >> 4)]
                buffer[2 * index + 1] = digits[Int(byte & 15)]
            }
            return 64
        }
    }

    public static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    private static func value(ofHexDigit character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension Digest: Comparable {
    public static func < (left: Digest, right: Digest) -> Bool { left.words < right.words }
}

extension Digest: CustomStringConvertible, LosslessStringConvertible {
    /// `sha256:` and the digits.
    public var description: String { "sha256:" + hex }

    public init?(_ description: String) { self.init(description[...]) }
}

extension Digest: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest(try container.decode(String.self)[...]) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a sha256 digest")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
