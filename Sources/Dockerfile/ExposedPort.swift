/// Ports as EXPOSE takes them: `8080`, `53/udp`, `8000-8010/tcp`.
///
/// `ip:host:container` is accepted, as BuildKit still does; only the container's port counts.
public enum ExposedPort {
    /// The keys of the image's config, as `8080/tcp`; nil for what is no port.
    public static func parse(_ word: String) -> [String]? {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last else { return nil }
        let pieces = last.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let name = pieces.count > 1 ? pieces[1].lowercased() : ""
        let transport = name.isEmpty ? "tcp" : name
        guard ["tcp", "udp", "sctp"].contains(transport), let ports = range(pieces[0]) else {
            return nil
        }
        if parts.count > 1, !parts[parts.count - 2].isEmpty {
            guard let host = range(parts[parts.count - 2]),
                host.count == ports.count || ports.count == 1
            else { return nil }
        }
        if parts.count > 2 {
            let address = parts.dropLast(2).joined(separator: ":")
            guard address.isEmpty || isAddress(address) else { return nil }
        }
        return ports.map { "\($0)/\(transport)" }
    }

    /// `80` or `80-90`.
    private static func range(_ text: Substring) -> ClosedRange<Int>? {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap(number) else { return nil }
        guard parts.count > 1 else { return first...first }
        guard let last = number(parts[1]), last >= first else { return nil }
        return first...last
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text).flatMap { $0 <= 65_535 ? $0 : nil }
    }

    /// Four decimal bytes, or what has the letters of an IPv6 address.
    private static func isAddress(_ text: String) -> Bool {
        let bytes = text.split(separator: ".", omittingEmptySubsequences: false)
        if bytes.count == 4 { return bytes.allSatisfy { UInt8($0) != nil } }
        var inner = Substring(text)
        if inner.first == "[" {
            guard inner.last == "]" else { return false }
            inner = inner.dropFirst().dropLast()
        }
        return inner.contains(":") && inner.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
}
