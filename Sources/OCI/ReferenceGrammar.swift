/// A reference that cannot be read, and why.
public struct ReferenceError: Error, Equatable, Sendable {
    public enum Problem: Equatable, Sendable {
        case empty
        case tooLong(limit: Int)
        case invalidRegistry
        case invalidRepository
        case upperCase
        case repositoryTooLong(limit: Int)
        case invalidTag
        case invalidDigest
        /// 64 hexadecimal digits: an image's id, which no registry knows.
        case bareDigest
    }

    /// What was written, made harmless.
    public var text: String
    public var problem: Problem
}

extension ReferenceError: CustomStringConvertible {
    public var description: String {
        let reason =
            switch problem {
            case .empty: "it is empty"
            case .tooLong(let limit): "it is longer than \(limit) bytes"
            case .invalidRegistry: "the registry is not a host name"
            case .invalidRepository: "the repository name is not valid"
            case .upperCase: "a repository name has no capital letters"
            case .repositoryTooLong(let limit): "the repository is longer than \(limit) bytes"
            case .invalidTag: "the tag is not valid"
            case .invalidDigest: "the digest is not sha256: and 64 hexadecimal digits"
            case .bareDigest: "64 hexadecimal digits are not a repository"
            }
        return "\"\(text)\" is not an image reference: \(reason)"
    }
}

/// The grammar of references, rule by rule.
enum ReferenceGrammar {
    /// What is wrong with the parts, or nil.
    static func problem(
        registry: String, repository: String, tag: String?
    ) -> ReferenceError.Problem? {
        if !isRegistry(registry) { return .invalidRegistry }
        if repository.utf8.count > Reference.maximumRepositoryLength {
            return .repositoryTooLong(limit: Reference.maximumRepositoryLength)
        }
        if !isRepository(repository) {
            return isRepository(repository.lowercased()) ? .upperCase : .invalidRepository
        }
        if let tag, !isTag(tag) { return .invalidTag }
        return nil
    }

    /// `/[\w][\w.-]{0,127}/`
    static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= Reference.maximumTagLength else {
            return false
        }
        let isWord = { (byte: UInt8) in
            isLower(byte) || isUpper(byte) || isDigit(byte) || byte == underscore
        }
        return isWord(first) && text.utf8.allSatisfy { isWord($0) || $0 == dot || $0 == dash }
    }

    /// Components of lower-case letters and digits, joined inside by `.`, `_`, `__` or dashes.
    private static func isRepository(_ text: String) -> Bool {
        text.utf8.split(separator: slash, omittingEmptySubsequences: false).allSatisfy(isComponent)
    }

    private static func isComponent(_ component: Substring.UTF8View) -> Bool {
        let isAlphanumeric = { (byte: UInt8) in isLower(byte) || isDigit(byte) }
        guard let first = component.first, let last = component.last,
            isAlphanumeric(first), isAlphanumeric(last)
        else { return false }
        let separators = component.split(whereSeparator: isAlphanumeric)
        return separators.allSatisfy { separator in
            separator.elementsEqual([dot]) || separator.elementsEqual([underscore])
                || separator.elementsEqual([underscore, underscore])
                || separator.allSatisfy { $0 == dash }
        }
    }

    /// A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
    private static func isRegistry(_ text: String) -> Bool {
        guard text.utf8.count <= 255 + 6 else { return false }
        var host = text[...]
        if host.first == "[" {
            guard let bracket = host.firstIndex(of: "]") else { return false }
            let address = host[host.index(after: host.startIndex)..<bracket]
            let rest = host[host.index(after: bracket)...]
            let isAddress =
                address.utf8.count >= 2 && address.contains(":")
                && address.utf8.allSatisfy { isHex($0) || $0 == colon }
            return isAddress && (rest.isEmpty || (rest.first == ":" && isPort(rest.dropFirst())))
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        return host.utf8.split(separator: dot, omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        let isInner = { (byte: UInt8) in isLower(byte) || isUpper(byte) || isDigit(byte) }
        guard let first = label.first, let last = label.last else { return false }
        return label.count <= 63 && isInner(first) && isInner(last)
            && label.allSatisfy { isInner($0) || $0 == dash }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.allSatisfy(isDigit) && text.utf8.count <= 5
            && (UInt32(text).map { (1...65535).contains($0) } ?? false)
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")
    private static let dash = UInt8(ascii: "-")
    private static let colon = UInt8(ascii: ":")
    private static let underscore = UInt8(ascii: "_")

    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    }
}
