import Glibc

/// An address of IPv6, or of IPv4 as IPv6 writes it: `::ffff:192.0.2.1`.
public struct IPAddress: Hashable, Sendable {
    /// 16 of them, in the order of the network.
    public let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

    /// Nil where `text` is no address, by inet_pton(3).
    public init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = Self.mapped + withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    public var isIPv4: Bool { bytes.starts(with: Self.mapped) }

    /// As the kernel takes it for its family: 4 bytes or 16.
    public var familyBytes: ArraySlice<UInt8> { isIPv4 ? bytes.suffix(4) : bytes[...] }
}

extension IPAddress: CustomStringConvertible {
    public var description: String {
        if isIPv4 { return familyBytes.map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count))
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
