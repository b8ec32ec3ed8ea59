import Limits

/// The users and groups of an image, from its /etc/passwd and /etc/group; passwd(5), group(5).
///
/// The files are foreign: lines that make no sense are passed over, as every reader of them does.
public struct UserDatabase: Sendable {
    /// The most that is read of either file.
    public static let largestFile = Limit.userFile

    /// Whom a USER instruction or a `--chown` names.
    public struct Identity: Equatable, Sendable {
        public var uid, gid: UInt32
        /// Supplementary groups, sorted.
        public var groups: [UInt32]
        public var home: String?

        public init(uid: UInt32, gid: UInt32, groups: [UInt32] = [], home: String? = nil) {
            self.uid = uid
            self.gid = gid
            self.groups = groups
            self.home = home
        }
    }

    /// A name that the image does not have.
    public enum Unknown: Error, Equatable, CustomStringConvertible {
        case user(String)
        case group(String)

        public var description: String {
            switch self {
            case .user(let name): "the image has no user \(printable(name.utf8))"
            case .group(let name): "the image has no group \(printable(name.utf8))"
            }
        }
    }

    private struct User { var name: String, uid, gid: UInt32, home: String }
    private struct Group { var name: String, gid: UInt32, members: [Substring] }
    private var users: [User] = []
    private var groups: [Group] = []

    public init(passwd: [UInt8], group: [UInt8]) {
        for fields in Self.lines(passwd) where fields.count >= 6 {
            guard let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { continue }
            users.append(User(name: String(fields[0]), uid: uid, gid: gid, home: String(fields[5])))
        }
        for fields in Self.lines(group) where fields.count >= 3 {
            guard let gid = UInt32(fields[2]) else { continue }
            let members = fields.count > 3 ? fields[3].split(separator: ",") : []
            groups.append(Group(name: String(fields[0]), gid: gid, members: members))
        }
    }

    private static func lines(_ bytes: [UInt8]) -> some Sequence<[Substring]> {
        bytes.split(separator: UInt8(ascii: "\n")).lazy.map {
            String(decoding: $0, as: UTF8.self)[...].split(
                separator: ":", omittingEmptySubsequences: false)
        }
    }

    /// Whether `word` needs the database at all: numbers alone do for an owner, not for the groups of a process.
    public static func isNumeric(_ word: String) -> Bool {
        word.split(separator: ":", omittingEmptySubsequences: false).allSatisfy {
            number(String($0)) != nil
        }
    }

    /// A number as ids are written: digits alone, and not the kernel's "no id".
    private static func number(_ word: String) -> UInt32? {
        guard word.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(word),
            number != .max
        else { return nil }
        return number
    }

    /// The identity of `user`, `user:group`, `uid` or `uid:gid`.
    ///
    /// As Docker has it: a number needs no entry, and is never looked up as a name (an image could call root "77"); without a
    /// group it is the user's own, 0 for an unknown uid; with a group there are no supplementary groups. Dockerfile reference,
    /// "USER".
    public func identity(of word: String) throws(Unknown) -> Identity {
        let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let user = parts[0].isEmpty ? "0" : parts[0]
        let number = Self.number(user)
        let entry = users.first { number == nil ? $0.name == user : $0.uid == number }
        guard let uid = number ?? entry?.uid else { throw .user(user) }
        if parts.count == 2, !parts[1].isEmpty {
            return Identity(uid: uid, gid: try gid(of: parts[1]), home: entry?.home)
        }
        guard let entry else { return Identity(uid: uid, gid: 0) }
        let supplementary = groups.filter { $0.members.contains(entry.name[...]) }.map(\.gid)
        return Identity(
            uid: uid, gid: entry.gid, groups: Set(supplementary).sorted(), home: entry.home)
    }

    /// Who owns what `--chown=WORD` names: as `identity(of:)`, but a lone number is the group's, too.
    ///
    /// Dockerfile reference, "COPY --chown".
    public func owner(of word: String) throws(Unknown) -> Identity {
        if let number = Self.number(word) {
            return Identity(uid: number, gid: number)
        }
        return try identity(of: word)
    }

    /// The number of a group by its name or number.
    public func gid(of word: String) throws(Unknown) -> UInt32 {
        if let number = Self.number(word) { return number }
        guard let group = groups.first(where: { $0.name == word }) else { throw .group(word) }
        return group.gid
    }
}
