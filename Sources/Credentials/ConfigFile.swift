import FoundationEssentials
import Limits
import OCI

/// One file of credentials, in the form of Docker's `config.json` or the containers tools' `auth.json`.
///
/// Only what is asked for has to be right: a broken entry of another registry is none of our business.
struct ConfigFile: Sendable {
    /// For messages.
    let place: String
    private(set) var tree: JSONTree

    /// Docker's is some hundred bytes long.
    static let maximumBytes = Limit.credentialFile

    init(_ bytes: [UInt8], place: String) throws(CredentialError) {
        self.place = place
        if bytes.allSatisfy({ [0x20, 0x09, 0x0a, 0x0d].contains($0) }) {
            tree = .object([])
            return
        }
        do {
            tree = try JSONReader.read(bytes)
        } catch {
            throw CredentialError(place, .notJSON(offset: error.offset))
        }
        if tree.members == nil { throw CredentialError(place, .malformed(path: "the document")) }
    }

    /// What the file says about a repository.
    enum Answer: Equatable {
        case credential(Credential)
        /// Ask this helper; where it knows nothing, `fallback` is what the file has beside it.
        case helper(String, fallback: Credential?)
    }

    /// The most specific entry first; for the registry as a whole, its own helper comes before its entry, and that before the helper
    /// of all registries.
    func answer(for keys: RegistryKeys) throws(CredentialError) -> Answer? {
        let entries = try entries(for: keys)
        for entry in entries where entry.fit > 0 {
            if let found = try credential(entry.value, entry.name) { return .credential(found) }
        }
        var plain: Credential?
        for entry in entries where entry.fit == 0 && plain == nil {
            plain = try credential(entry.value, entry.name)
        }
        if let helper = try helper(for: keys) { return .helper(helper, fallback: plain) }
        if let plain { return .credential(plain) }
        return try text("credsStore").map { .helper($0, fallback: nil) }
    }

    /// The helper that keeps a registry's credentials, where there is one.
    func keeper(for keys: RegistryKeys) throws(CredentialError) -> String? {
        if let own = try helper(for: keys) { return own }
        return try text("credsStore")
    }

    private func helper(for keys: RegistryKeys) throws(CredentialError) -> String? {
        for member in try members("credHelpers") where keys.isHost(member.name) {
            guard let name = member.value.text else { throw malformed("credHelpers", member.name) }
            if !name.isEmpty { return name }
        }
        return nil
    }

    private struct Entry { var name: String, value: JSONTree, fit: Int }

    private func entries(for keys: RegistryKeys) throws(CredentialError) -> [Entry] {
        let all = try members("auths").compactMap { member in
            keys.fit(of: member.name).map { Entry(name: member.name, value: member.value, fit: $0) }
        }
        // Of equals, the name without a scheme first; the sort is stable.
        return all.sorted { ($0.fit, $1.name.utf8.count) > ($1.fit, $0.name.utf8.count) }
    }

    /// The secret of an entry; nil for `{}`, which says that a helper has it.
    private func credential(
        _ entry: JSONTree, _ name: String
    ) throws(CredentialError) -> Credential? {
        if entry == .null { return nil }
        guard entry.members != nil else { throw malformed("auths", name) }
        func field(_ key: String) throws(CredentialError) -> String? {
            guard let value = entry[key], value != .null else { return nil }
            guard let text = value.text else { throw malformed("auths", name, key) }
            return text.isEmpty ? nil : text
        }
        if let token = try field("registrytoken") {
            return Credential(.registryToken(Secret(token)), source: place)
        }
        if let token = try field("identitytoken") {
            return Credential(.identityToken(Secret(token)), source: place)
        }
        if let auth = try field("auth") {
            guard let (user, password) = Self.decode(auth) else {
                throw malformed("auths", name, "auth")
            }
            return Credential(.password(user: user, password), source: place)
        }
        guard let user = try field("username") else { return nil }
        let password = try field("password") ?? ""
        return Credential(.password(user: user, Secret(password)), source: place)
    }

    /// `user:password` in base 64. Old tools left NUL bytes at its end.
    private static func decode(_ auth: String) -> (String, Secret)? {
        let text = auth.filter { !$0.isWhitespace }
        let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: padded),
            let pair = String(validating: Array(data), as: UTF8.self),
            let colon = pair.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        let password = pair[pair.utf8.index(after: colon)...]
        let end = password.unicodeScalars.lastIndex { $0.value != 0 }
        let trimmed = end.map { String(password.unicodeScalars[...$0]) } ?? ""
        return (String(pair[..<colon]), Secret(trimmed))
    }

    private func members(_ name: String) throws(CredentialError) -> [JSONTree.Member] {
        guard let value = tree[name], value != .null else { return [] }
        guard let members = value.members else { throw malformed(name) }
        return members
    }

    private func text(_ name: String) throws(CredentialError) -> String? {
        guard let value = tree[name], value != .null else { return nil }
        guard let text = value.text else { throw malformed(name) }
        return text.isEmpty ? nil : text
    }

    private func malformed(_ path: String...) -> CredentialError {
        let path = path.map { Harmless.text($0, limit: 100) }.joined(separator: " → ")
        return CredentialError(place, .malformed(path: path))
    }
}

// MARK: - Changing

extension ConfigFile {
    /// Keeps `credential` for the registry in the file itself; nil leaves an entry that says that a helper has it.
    mutating func set(_ credential: Credential?, for keys: RegistryKeys) throws(CredentialError) {
        var entry = JSONTree.object([])
        var name = keys.key
        for member in try members("auths") where keys.isHost(member.name) {
            (name, entry) = (member.name, member.value.members == nil ? entry : member.value)
        }
        try remove(keys)
        for field in ["auth", "username", "password", "identitytoken", "registrytoken"] {
            entry[field] = nil
        }
        switch credential?.kind {
        case .password(let user, let secret):
            let pair = Data((user + ":" + secret.reveal()).utf8)
            entry["auth"] = .string(pair.base64EncodedString())
        case .identityToken(let token): entry["identitytoken"] = .string(token.reveal())
        case .registryToken(let token): entry["registrytoken"] = .string(token.reveal())
        case nil: break
        }
        var auths = tree["auths"] ?? .null
        if auths.members == nil { auths = .object([]) }
        auths[name] = entry
        tree["auths"] = auths
    }

    /// Forgets the entries of a whole registry; those of single repositories stay.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    mutating func remove(_ keys: RegistryKeys) throws(CredentialError) -> Bool {
        let members = try members("auths")
        let kept = members.filter { !keys.isHost($0.name) }
        if kept.count == members.count { return false }
        tree["auths"] = .object(kept)
        return true
    }
}
