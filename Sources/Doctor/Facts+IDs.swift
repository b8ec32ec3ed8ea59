import Glibc
import Linux
import SystemPackage

extension FactCatalog {
    static let idFacts: [FactDefinition] = [
        FactDefinition("subuid", .ids, "user ids beside your own, for images") {
            ranges("/etc/subuid", $0)
        },
        FactDefinition("subuid.count", .ids, "images have ids up to 65535") {
            count("/etc/subuid", $0)
        },
        FactDefinition("subgid", .ids, "group ids beside your own") { ranges("/etc/subgid", $0) },
        FactDefinition("subgid.count", .ids, "images have ids up to 65535") {
            count("/etc/subgid", $0)
        },
        FactDefinition("newuidmap", .ids, "writes the map of user ids") { _ in
            helper("newuidmap")
        },
        FactDefinition("newgidmap", .ids, "writes the map of group ids") { _ in
            helper("newgidmap")
        },
        FactDefinition("idmap.range", .ids, "the helpers map your range, tried out", mapRange),
    ]

    static func rangeRemedy(_ user: InvokingUser) -> String {
        "an administrator runs: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(user.name)"
    }

    private static func read(_ file: String, _ user: InvokingUser, _ place: Place)
        -> [SubordinateRange]
    {
        // No such file, or no right to read it, is the same to a build as a file without our line.
        guard let text = try? place.text(of: file) else { return [] }
        return SubordinateRange.parse(Array(text.utf8), user: user.name, uid: user.uid)
    }

    private static func ranges(_ file: String, _ place: Place) -> Finding {
        let user = InvokingUser.current
        let ranges = read(file, user, place)
        if ranges.isEmpty {
            return .missing("none", "\(file) has none for \(user.name)", remedy: rangeRemedy(user))
        }
        let words = ranges.map { "\($0.start)-\(UInt64($0.start) + UInt64($0.count) - 1)" }
        return .good(words.prefix(3).joined(separator: " ") + (words.count > 3 ? " …" : ""))
    }

    private static func count(_ file: String, _ place: Place) -> Finding {
        let user = InvokingUser.current
        let count = read(file, user, place).reduce(0) { $0 + UInt64($1.count) }
        switch count {
        case 0: return .missing("0", remedy: rangeRemedy(user))
        case ..<65535:
            return .degraded("\(count)", "owners beyond are recorded", remedy: rangeRemedy(user))
        default: return .good("\(count)")
        }
    }

    private static func helper(_ name: String) -> Finding {
        let remedy = "an administrator runs: apt-get install uidmap (elsewhere shadow-utils)"
        guard let path = helperPath(name) else {
            return .missing("no", "not installed", remedy: remedy)
        }
        var status = stat()
        if stat(path, &status) != 0 {
            return .unknown("\(path): \(Errno(rawValue: errno).inWords)")
        }
        let isSetUserID = status.st_mode & S_ISUID != 0 && status.st_uid == 0
        if isSetUserID || hasCapabilities(path) { return .good("yes", path) }
        return .degraded(
            "no", "\(path) is neither set-user-id root nor with file capabilities",
            remedy: "an administrator runs: chmod u+s \(path)")
    }

    /// Some distributions give the helpers file capabilities instead of the set-user-id bit; capabilities(7).
    private static func hasCapabilities(_ path: String) -> Bool {
        let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if raw < 0 { return false }
        let file = OwnedDescriptor(owning: raw)
        // A file system without attributes has no such files.
        return ((try? file.borrowed.extendedAttribute("security.capability")) ?? nil) != nil
    }

    private static func mapRange(_ place: Place) -> Finding {
        let user = InvokingUser.current
        let (uids, gids) = (
            read("/etc/subuid", user, place), read("/etc/subgid", user, place)
        )
        if uids.isEmpty || gids.isEmpty {
            return .missing("no", "there is no range", remedy: rangeRemedy(user))
        }
        do throws(SystemError) {
            try tryIDMaps(
                uid: IDMap(own: user.uid, subordinate: uids),
                gid: IDMap(own: user.gid, subordinate: gids))
            return .good("yes")
        } catch {
            return .missing("no", printable(error.description.utf8), remedy: refused(place))
        }
    }

    private static func refused(_ place: Place) -> String {
        if place.ownStatus("NoNewPrivs") == "1" {
            return "start lichen without no_new_privs: set-user-id programs gain nothing under it"
        }
        if helperPath("newuidmap") == nil || helperPath("newgidmap") == nil {
            return "an administrator runs: apt-get install uidmap (elsewhere shadow-utils)"
        }
        return "an administrator looks at newuidmap: set-user-id root, on a mount without nosuid"
    }
}
